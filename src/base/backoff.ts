/** Answers a number in [0, 1), as Math.random does. */
export type Random = () => number;

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Default 2. */
  readonly factor?: number;
  /** Share of the delay that is random: 0.2 spreads it over ±20 %. Default 0.2. */
  readonly jitter?: number;
}

/** Delay before attempt `failures + 1`, in whole ms: grows exponentially from `initialMs` to `maxMs`, spread by `jitter`. */
export function backoffDelayMs(failures: number, options: BackoffOptions, random: Random): number {
  const { initialMs, maxMs, factor = 2, jitter = 0.2 } = options;
  // The exponent is capped before use, so that many failures never make an infinity.
  const grown = initialMs * factor ** Math.min(failures, 64);
  const delay = Math.min(grown, maxMs);
  return Math.round(delay * (1 + jitter * (2 * random() - 1)));
}

/** Counts failures of one thing. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: Random;
  #failures = 0;

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and answers how long to wait. */
  nextMs(): number {
    return backoffDelayMs(this.#failures++, this.#options, this.#random);
  }

  reset(): void {
    this.#failures = 0;
  }
}
