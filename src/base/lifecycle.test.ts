import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { FakeClock, settle } from './fake-clock.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLogger } from './log.ts';

function setUp(): { lifecycle: Lifecycle; clock: FakeClock; lines: string[] } {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLogger({ clock, write: (line) => void lines.push(line) });
  return { lifecycle: new Lifecycle({ clock, log, graceMs: 1000 }), clock, lines };
}

describe('Lifecycle', () => {
  it('ends with 0 when it was asked to stop and everything ended', async () => {
    const { lifecycle, clock } = setUp();
    const ended: string[] = [];
    for (const name of ['a', 'b']) {
      lifecycle.run(name, async (signal) => {
        await clock.sleep(1e9, signal).finally(() => ended.push(name));
      });
    }
    const exit = lifecycle.wait();
    await settle();
    expect(ended).toEqual([]);
    lifecycle.stop('test');
    expect(await exit).toBe(0);
    expect(ended).toEqual(['a', 'b']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops everything and ends with 1 when one task fails', async () => {
    const { lifecycle, clock, lines } = setUp();
    lifecycle.run('steady', async (signal) => clock.sleep(1e9, signal));
    lifecycle.run('broken', () => {
      throw new Error('boom');
    });
    expect(await lifecycle.wait()).toBe(1);
    expect(lines.join('')).toContain('"task":"broken"');
    expect(lines.join('')).toContain('boom');
    expect(lines.join('')).not.toContain('"task":"steady"');
  });

  it('does not wait for ever, and names who would not end', async () => {
    const { lifecycle, clock, lines } = setUp();
    lifecycle.run('stuck', () => new Promise(() => undefined));
    const exit = lifecycle.wait();
    lifecycle.stop('test');
    await clock.advance(1000);
    expect(await exit).toBe(1);
    expect(lines.join('')).toContain('"tasks":["stuck"]');
  });

  it('waits for tasks started while it waits', async () => {
    const { lifecycle, clock } = setUp();
    lifecycle.run('first', async () => {
      lifecycle.run('second', async () => clock.sleep(10));
    });
    let exit: number | undefined;
    void lifecycle.wait().then((code) => (exit = code));
    await settle();
    expect(exit).toBeUndefined();
    await clock.advance(10);
    expect(exit).toBe(0);
    expect(lifecycle.stopping).toBe(false);
  });

  it('stops on the first signal and leaves on the second', async () => {
    const { lifecycle, clock } = setUp();
    const exits: number[] = [];
    const target = Object.assign(new EventEmitter(), { exit: (code: number) => exits.push(code) });
    const release = lifecycle.handleSignals(target as unknown as NodeJS.Process);
    lifecycle.run('task', async (signal) => clock.sleep(1e9, signal));
    target.emit('SIGTERM', 'SIGTERM');
    expect(await lifecycle.wait()).toBe(0);
    expect(exits).toEqual([]);
    target.emit('SIGINT', 'SIGINT');
    expect(exits).toEqual([130]);
    release();
    expect(target.listenerCount('SIGTERM')).toBe(0);
  });
});
