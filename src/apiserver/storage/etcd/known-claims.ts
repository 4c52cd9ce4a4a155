interface Known {
  readonly revision: number;
  readonly claims: readonly string[];
}

/** Which claims keys hold as of which revision, for those seen last: so that a write need not ask before it writes. */
export class KnownClaims {
  readonly #byKey = new Map<string, Known>();
  readonly #maxKeys: number;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  note(key: string, revision: number, claims: readonly string[]): void {
    const known = this.#byKey.get(key);
    if (known !== undefined && known.revision > revision) return;
    // Again at the end of the map: the first is the one that was not seen for longest.
    this.#byKey.delete(key);
    this.#byKey.set(key, { revision, claims });
    if (this.#byKey.size > this.#maxKeys) {
      const [oldest] = this.#byKey.keys();
      if (oldest !== undefined) this.#byKey.delete(oldest);
    }
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }

  /** Undefined when it is not known as of exactly that revision. */
  at(key: string, revision: number): readonly string[] | undefined {
    const known = this.#byKey.get(key);
    return known?.revision === revision ? known.claims : undefined;
  }
}
