import type { Clock } from '../base/clock.ts';

/** Nobody waits longer for others to be sent their events: some of them may have stopped reading. */
const patienceMs = 50;

/**
 * Paces what is sent to very many receivers at once. An event that a thousand watch is in memory a thousand times, encrypted, once
 * all of it has been written; with a budget it is written as fast as it leaves.
 */
export class SendBudget {
  readonly #limit: number;
  readonly #clock: Clock;
  #underWay = 0;
  /** Of `#underWay`: what had not left when patience ended. Nobody waits for it again. */
  #stuck = 0;
  /** One for all who wait. */
  #pause: { readonly over: Promise<void>; end(): void } | undefined;

  /** `limit`: bytes that may be under way before others have to wait. */
  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Set while nobody should take anything. Resolves when half of the budget is free again; who waited asks once more. */
  pause(): Promise<void> | undefined {
    if (this.#underWay - this.#stuck < this.#limit) return undefined;
    this.#pause ??= this.#newPause();
    return this.#pause.over;
  }

  /** Takes so many bytes of the budget, to be given back. */
  take(bytes: number): void {
    this.#underWay += bytes;
  }

  giveBack(bytes: number): void {
    this.#underWay -= bytes;
    this.#stuck = Math.min(this.#stuck, this.#underWay);
    if (this.#pause !== undefined && this.#underWay - this.#stuck <= this.#limit / 2) this.#pause.end();
  }

  #newPause(): { readonly over: Promise<void>; end(): void } {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      timer.cancel();
      this.#pause = undefined;
      resolve();
    };
    const timer = this.#clock.setTimer(patienceMs, () => {
      this.#stuck = this.#underWay;
      end();
    });
    return { over, end };
  }
}
