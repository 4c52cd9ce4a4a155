import { sleepOn, type Clock, type Timer } from './clock.ts';

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #startMs: number;
  readonly #pending = new Set<Pending>();

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const entry: Pending = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(entry);
    return { cancel: () => this.#pending.delete(entry) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** How many timers wait. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Milliseconds until the next timer, or undefined when none waits. */
  get nextTimerMs(): number | undefined {
    const next = this.#next(Infinity);
    return next && next.atMs - this.#nowMs;
  }

  /**
   * Moves time forward, firing what falls due in order and letting promises settle after each, so that timers set by
   * what was woken fire too when they fall within the span.
   */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await settle();
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) {
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Pending | undefined {
    let best: Pending | undefined;
    for (const entry of this.#pending) {
      if (entry.atMs > untilMs) continue;
      if (!best || entry.atMs < best.atMs || (entry.atMs === best.atMs && entry.order < best.order)) best = entry;
    }
    return best;
  }
}

/** One turn of the event loop drains every promise that is ready. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
