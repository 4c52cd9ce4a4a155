import type { Write } from './storage.ts';

/** Keys that begin with `prefix`, as the half-open range [from, to) in code point order; `to` undefined: no upper end. */
export interface KeyRange {
  readonly from: string;
  readonly to: string | undefined;
}

const LAST_CODE_POINT = 0x10ffff;

/** The smallest range that holds exactly the keys with this prefix. */
export function prefixRange(prefix: string): KeyRange {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!);
  while (points.length > 0) {
    const last = points.pop()!;
    if (last < LAST_CODE_POINT) {
      // The surrogates are no code points of their own: step over them.
      const next = last + 1 === 0xd800 ? 0xe000 : last + 1;
      return { from: prefix, to: String.fromCodePoint(...points, next) };
    }
  }
  return { from: prefix, to: undefined };
}

/** @throws TypeError for a key that no driver can hold: empty, with a NUL, or not well-formed Unicode. */
export function assertKey(key: string): void {
  if (key === '' || key.includes('\0') || !key.isWellFormed()) {
    throw new TypeError(`not a storage key: ${JSON.stringify(key)}`);
  }
}

/** @throws TypeError for a write that no driver can make sense of */
export function assertWrite(write: Write): void {
  assertKey(write.key);
  if (!Number.isSafeInteger(write.expectedRevision) || write.expectedRevision < 0) {
    throw new TypeError(`not a revision: ${write.expectedRevision}`);
  }
  if (write.value === undefined && write.expectedRevision === 0) {
    throw new TypeError('a delete needs the revision of what it deletes');
  }
}
