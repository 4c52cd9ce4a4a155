import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { abandonOn, abortReason, isAbortError, TimeoutError, withDeadline } from './deadline.ts';
import { FakeClock } from './fake-clock.ts';

describe('withDeadline', () => {
  it('aborts with a TimeoutError when the time is up', async () => {
    const clock = new FakeClock();
    const deadline = withDeadline([], 1000, 'the answer', clock);
    await clock.advance(999);
    expect(deadline.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(deadline.signal.reason).toBeInstanceOf(TimeoutError);
    expect(String(deadline.signal.reason)).toContain('the answer took longer than 1000 ms');
  });

  it('aborts with the reason of the parent that aborts first', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const deadline = withDeadline([first.signal, undefined, second.signal], undefined, 'x');
    second.abort(new Error('second'));
    expect(deadline.signal.reason).toEqual(new Error('second'));
  });

  it('is aborted from the start under an aborted parent', () => {
    const deadline = withDeadline([AbortSignal.abort(new Error('gone'))], 1000, 'x');
    expect(deadline.signal.reason).toEqual(new Error('gone'));
  });

  it('leaves neither listener nor timer behind', async () => {
    const clock = new FakeClock();
    const parent = new AbortController();
    for (let i = 0; i < 100; i++) {
      using deadline = withDeadline([parent.signal], 1000, 'x', clock);
      expect(getEventListeners(deadline.signal, 'abort')).toHaveLength(0);
    }
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0);
    expect(clock.pendingTimers).toBe(0);
    const late = withDeadline([parent.signal], 1000, 'x', clock);
    await clock.advance(1000);
    expect(late.signal.aborted).toBe(true);
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0);
  });
});

describe('abandonOn', () => {
  it('answers what the promise answers and lets go of the signal', async () => {
    const parent = new AbortController();
    await expect(abandonOn(Promise.resolve(1), parent.signal)).resolves.toBe(1);
    await expect(abandonOn(Promise.reject(new Error('no')), parent.signal)).rejects.toThrow('no');
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0);
  });

  it('rejects at once when the signal aborts', async () => {
    const parent = new AbortController();
    const waiting = abandonOn(new Promise(() => undefined), parent.signal);
    parent.abort();
    await expect(waiting).rejects.toThrow(/abort/i);
    await expect(abandonOn(Promise.reject(new Error('late')), parent.signal)).rejects.toThrow(/abort/i);
  });
});

it('tells aborts from failures', () => {
  expect(isAbortError(abortReason(AbortSignal.abort()))).toBe(true);
  expect(isAbortError(abortReason(AbortSignal.abort('text')))).toBe(true);
  expect(isAbortError(new TimeoutError('x', 1))).toBe(false);
  expect(isAbortError(new Error('x'))).toBe(false);
});
