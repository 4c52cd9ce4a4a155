import { describe, expect, it } from 'vitest';
import { Backoff, backoffDelayMs } from './backoff.ts';

describe('backoffDelayMs', () => {
  const options = { initialMs: 100, maxMs: 10_000 };

  it('doubles up to the maximum', () => {
    const middle = (): number => 0.5;
    expect([0, 1, 2, 3, 6, 7, 1_000_000].map((failures) => backoffDelayMs(failures, options, middle))).toEqual([
      100, 200, 400, 800, 6400, 10_000, 10_000,
    ]);
  });

  it('spreads by the jitter and no further', () => {
    expect(backoffDelayMs(0, { ...options, jitter: 0.5 }, () => 0)).toBe(50);
    expect(backoffDelayMs(0, { ...options, jitter: 0.5 }, () => 1)).toBe(150);
    expect(backoffDelayMs(3, { ...options, jitter: 0 }, () => 0.9)).toBe(800);
  });

  it('starts over after a reset', () => {
    const backoff = new Backoff(options, () => 0.5);
    expect([backoff.nextMs(), backoff.nextMs()]).toEqual([100, 200]);
    expect(backoff.failures).toBe(2);
    backoff.reset();
    expect(backoff.nextMs()).toBe(100);
  });
});
