import { abortReason } from './deadline.ts';

/** Time as an input: everything that reads or waits for time takes one, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that only go forward, for measuring durations. */
  monotonic(): number;
  /** Runs `callback` once after `delayMs`. A pending timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Resolves after `delayMs`. @throws the reason of `signal` when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Timer {
  cancel(): void;
}

/** Node's timers take at most 2^31 - 1 ms and fire at once for more. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  sleep(delayMs, signal) {
    // Unlike a timer, somebody waits here: it does keep the process alive.
    return sleepOn({ setTimer: setReferencedTimer }, delayMs, signal);
  },
};

function setReferencedTimer(delayMs: number, callback: () => void): Timer {
  const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
  return { cancel: () => clearTimeout(handle) };
}

/** `sleep` in terms of `setTimer`; leaves no listener on the signal behind. */
export function sleepOn(clock: Pick<Clock, 'setTimer'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortReason(signal));
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(abortReason(signal!));
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
