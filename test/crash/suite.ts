import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KilledServer } from './killed-server.ts';
import { Ordeal } from './ordeal.ts';
import { seededNumbers } from '../../src/base/testing/seeded-random.ts';
import { seatTicket, ticketsPath } from './writers.ts';

/** CRASH_SEED chooses other moments and other writes. */
const SEED = Number(process.env['CRASH_SEED'] ?? 4711);

export interface CrashSuiteOptions {
  readonly name: string;
  readonly rounds: number;
  /** In each round. */
  readonly kills: number;
  /** Whether every revision of the store is a write of this suite's. */
  readonly contiguous: boolean;
  /** A server over an empty store, not started, and the way to remove the store. */
  create(): Promise<{ readonly server: KilledServer; readonly remove: () => Promise<void> }>;
}

/** A test for each round of kills, and what must hold over all of them. */
export function describeCrashes(options: CrashSuiteOptions): void {
  const { rounds, kills, contiguous } = options;
  let server: KilledServer;
  let remove: (() => Promise<void>) | undefined;
  let ordeal: Ordeal;

  beforeAll(async () => {
    ({ server, remove } = await options.create());
    ordeal = new Ordeal({ server, random: seededNumbers(SEED), contiguous });
    await ordeal.begin();
  });
  afterAll(async () => {
    await server?.close();
    await remove?.();
  });

  describe(`${options.name}, seed ${SEED}`, () => {
    for (let round = 0; round < rounds; round++) {
      const which = `kills ${round * kills + 1} to ${(round + 1) * kills}`;
      it(`${which}: no acknowledged write lost, no revision backwards, no event missed, doubled or out of order`, () =>
        ordeal.run(kills));
    }

    it(`the server was killed at least ${rounds * kills} times, some of them while it started`, () => {
      expect(ordeal.kills).toBeGreaterThanOrEqual(rounds * kills);
      expect(ordeal.earlyKills).toBeGreaterThan(0);
    });

    it('every watch broke off and came back again and again', () => {
      // Not at each kill: one may come while a client is just about to ask.
      expect(ordeal.resumed).toBeGreaterThan((ordeal.kills - ordeal.earlyKills) / 2);
    });

    it('there was something to lose: writes without an answer, some of them done and some not', () => {
      const { acknowledged, doubts, refusedSeats } = ordeal.ledger;
      const { done, undone } = doubts;
      console.log(
        `${options.name}: ${acknowledged} writes acknowledged; without an answer ${done} done, ${undone} not`,
      );
      expect(acknowledged).toBeGreaterThan(ordeal.kills * 5);
      expect(done).toBeGreaterThan(0);
      expect(undone).toBeGreaterThan(0);
      expect(refusedSeats).toBeGreaterThan(0);
    });

    it.each(['seat-0', 'seat-1'])('%s is free: nobody who has gone holds it', async (seat) => {
      const body = seatTicket(`last-${seat}`, seat, 0);
      const answer = await server.ask(ticketsPath('ns-0'), { method: 'POST', body });
      expect(answer?.code, answer?.text).toBe(201);
    });
  });
}
