import { prefixRange } from '../key-range.ts';
import type { KeyRange } from '../../../etcdclient/rpc.ts';

/** Begins a stored value that has claims; JSON never begins so. */
const MARK = '#';
const NO_CLAIMS: readonly string[] = Object.freeze([]);

/** A value as it is in etcd: what the API server stores, and the claims that its key holds. */
export interface Envelope {
  readonly value: string;
  readonly claims: readonly string[];
}

/**
 * `{"kind":...}` alone, or `#["claim",...]` in a line before it. The claims travel with the value because a later write, on whatever
 * replica, must know which ones it releases, as of exactly the revision that it replaces.
 */
export function encodeEnvelope({ value, claims }: Envelope): string {
  return claims.length > 0 || value.startsWith(MARK) ? `${MARK}${JSON.stringify(claims)}\n${value}` : value;
}

/** The inverse of `encodeEnvelope`. What somebody else has written there is a value without claims. */
export function decodeEnvelope(text: string): Envelope {
  if (!text.startsWith(MARK)) return { value: text, claims: NO_CLAIMS };
  const end = text.indexOf('\n');
  const claims = parseClaims(text.slice(1, Math.max(1, end)));
  return claims === undefined ? { value: text, claims: NO_CLAIMS } : { value: text.slice(end + 1), claims };
}

function parseClaims(json: string): readonly string[] | undefined {
  try {
    const claims: unknown = JSON.parse(json);
    const valid = Array.isArray(claims) && claims.every((claim) => typeof claim === 'string');
    return valid ? claims : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Where things are under `--etcd-prefix`: `<prefix>/objects<key>` the objects, `<prefix>/claims/<claim>` the key that holds the
 * claim, `<prefix>/compact_rev_key` what the replicas know about compaction.
 */
export class EtcdLayout {
  readonly #objects: string;
  readonly #objectsBytes: number;
  readonly #claims: string;
  readonly compactKey: Buffer;

  /** `prefix` begins with a slash and ends without one. */
  constructor(prefix: string) {
    this.#objects = `${prefix}/objects`;
    this.#objectsBytes = Buffer.byteLength(this.#objects);
    this.#claims = `${prefix}/claims/`;
    this.compactKey = Buffer.from(`${prefix}/compact_rev_key`);
  }

  objectKey(key: string): Buffer {
    return Buffer.from(this.#objects + key);
  }

  /** The inverse of `objectKey`. */
  keyOf(bytes: Buffer): string {
    return bytes.toString('utf8', this.#objectsBytes);
  }

  claimKey(claim: string): Buffer {
    return Buffer.from(this.#claims + claim);
  }

  /** All objects under `prefix`, or those of them behind `afterKey`. Undefined when there can be none. */
  objectRange(prefix: string, afterKey?: string): KeyRange | undefined {
    const { from, to } = prefixRange(this.#objects + prefix);
    const first = Buffer.from(from);
    const rangeEnd = Buffer.from(to ?? '\0');
    // The smallest key behind another one is that with a NUL more.
    const next = afterKey === undefined ? first : Buffer.from(`${this.#objects}${afterKey}\0`);
    const key = Buffer.compare(next, first) > 0 ? next : first;
    return to !== undefined && Buffer.compare(key, rangeEnd) >= 0 ? undefined : { key, rangeEnd };
  }
}
