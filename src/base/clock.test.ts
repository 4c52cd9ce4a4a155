import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { FakeClock } from './fake-clock.ts';

describe('systemClock', () => {
  it('sleeps, and stops sleeping when told', async () => {
    const before = systemClock.monotonic();
    await systemClock.sleep(20);
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(18);
    const controller = new AbortController();
    const long = systemClock.sleep(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(long).rejects.toThrow('enough');
    await systemClock.sleep(1, controller.signal).catch((error: unknown) => expect(error).toEqual(new Error('enough')));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('does not fire a far timer at once', async () => {
    let fired = false;
    const timer = systemClock.setTimer(10_000_000_000, () => {
      fired = true;
    });
    await systemClock.sleep(10);
    timer.cancel();
    expect(fired).toBe(false);
  });
});

describe('FakeClock', () => {
  it('fires in order, including what is set on the way', async () => {
    const clock = new FakeClock(0);
    const seen: string[] = [];
    clock.setTimer(20, () => seen.push(`b@${clock.now()}`));
    clock.setTimer(10, () => {
      seen.push(`a@${clock.now()}`);
      clock.setTimer(5, () => seen.push(`c@${clock.now()}`));
    });
    clock.setTimer(100, () => seen.push('never')).cancel();
    await clock.advance(50);
    expect(seen).toEqual(['a@10', 'c@15', 'b@20']);
    expect([clock.now(), clock.monotonic(), clock.pendingTimers]).toEqual([50, 50, 0]);
  });

  it('wakes sleepers that sleep again', async () => {
    const clock = new FakeClock();
    let turns = 0;
    const loop = (async () => {
      for (; turns < 3; turns++) await clock.sleep(10);
    })();
    await clock.advance(30);
    await loop;
    expect(turns).toBe(3);
  });
});
