/** Thrown when a deadline passes. The name is the DOM's, so that it is told apart from an abort the usual way. */
export class TimeoutError extends Error {
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number) {
    super(`${what} took longer than ${timeoutMs} ms`);
    this.name = 'TimeoutError';
    this.timeoutMs = timeoutMs;
  }
}

/** The reason of an aborted signal as an Error, whatever it was aborted with. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new DOMException(String(reason), 'AbortError');
}

/** True for what a cancelled operation throws when somebody else gave up, as opposed to a failure of its own. */
export function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Detaches from the parents and drops the timer; the signal never aborts afterwards. Idempotent. */
  cancel(): void;
}

interface TimerSource {
  setTimer(delayMs: number, callback: () => void): { cancel(): void };
}

const nodeTimers: TimerSource = {
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * A signal that aborts with the first of `parents`, or after `timeoutMs` with a TimeoutError naming `what`.
 * AbortSignal.any keeps its sources referenced for as long as a long-lived parent lives; this one lets go when cancelled:
 * `using deadline = withDeadline(...)`.
 */
export function withDeadline(
  parents: readonly (AbortSignal | undefined)[],
  timeoutMs: number | undefined,
  what: string,
  timers: TimerSource = nodeTimers,
): Deadline {
  const controller = new AbortController();
  let timer: { cancel(): void } | undefined;
  const onAbort = (event: Event): void => {
    cancel();
    controller.abort(abortReason(event.target as AbortSignal));
  };
  const cancel = (): void => {
    timer?.cancel();
    timer = undefined;
    for (const parent of parents) parent?.removeEventListener('abort', onAbort);
  };
  const aborted = parents.find((parent) => parent?.aborted);
  if (aborted) {
    controller.abort(abortReason(aborted));
  } else {
    for (const parent of parents) parent?.addEventListener('abort', onAbort, { once: true });
    if (timeoutMs !== undefined && Number.isFinite(timeoutMs)) {
      timer = timers.setTimer(Math.min(timeoutMs, 2_147_483_647), () => {
        cancel();
        controller.abort(new TimeoutError(what, timeoutMs));
      });
    }
  }
  return { signal: controller.signal, cancel, [Symbol.dispose]: cancel };
}

/** Settles like `promise`, but rejects with the signal's reason as soon as it aborts. The work itself goes on. */
export function abandonOn<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    // Nobody waits for it any more; what it throws is not unhandled.
    promise.catch(() => undefined);
    return Promise.reject(abortReason(signal));
  }
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(abortReason(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([promise, aborted.promise]).finally(() => signal.removeEventListener('abort', onAbort));
}
