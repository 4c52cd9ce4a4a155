import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

/** Text that comes before what is packed, as far back as DEFLATE can refer to. */
export type Dictionary = Buffer;

/** The largest distance that DEFLATE knows. */
const windowBytes = 32 * 1024;

/**
 * Two texts, one behind the other, kept compressed: both, or the first alone, can be had again. Both are raw DEFLATE (RFC 1951) of
 * one stream that begins behind the dictionary; the first is ended by a flush. An object packed with another one of its kind as
 * the dictionary takes a quarter of what it takes by itself (docs/decisions/0008).
 */
export class PackedText {
  /** Latin-1, a character a byte: a string has no memory outside of the heap, where it would leave holes. */
  readonly #packed: string;
  /** Where the first text ends in `#packed`. */
  readonly #frontEnd: number;
  readonly #dictionary: Dictionary;
  /** Bytes of the first text. */
  readonly frontLength: number;
  /** Bytes of both. */
  readonly length: number;

  private constructor(front: Buffer, rest: Buffer, dictionary: Dictionary) {
    const first = deflate(front, dictionary);
    const second = deflate(rest, Buffer.concat([dictionary, front]));
    this.#packed = Buffer.concat([first, second]).toString('latin1');
    this.#frontEnd = first.length;
    this.#dictionary = dictionary;
    this.frontLength = front.length;
    this.length = front.length + rest.length;
  }

  static of(front: string, rest: string, dictionary: Dictionary): PackedText {
    return new PackedText(Buffer.from(front), Buffer.from(rest), dictionary);
  }

  /** UTF-8 of both texts. */
  unpack(): Buffer {
    return inflate(this.#packed, this.#dictionary, this.length);
  }

  /** UTF-8 of the first text. */
  unpackFront(): Buffer {
    return inflate(this.#packed.slice(0, this.#frontEnd), this.#dictionary, this.frontLength);
  }
}

/** Takes some 10 microseconds a kilobyte. */
function deflate(text: Buffer, before: Buffer): Buffer {
  if (text.length === 0) return text;
  const dictionary = before.length === 0 ? {} : { dictionary: before.subarray(-windowBytes) };
  return deflateRawSync(text, { level: 6, memLevel: 7, finishFlush: constants.Z_SYNC_FLUSH, ...dictionary });
}

function inflate(packed: string, before: Dictionary, length: number): Buffer {
  if (length === 0) return Buffer.alloc(0);
  const dictionary = before.length === 0 ? {} : { dictionary: before };
  return inflateRawSync(Buffer.from(packed, 'latin1'), {
    finishFlush: constants.Z_SYNC_FLUSH,
    // One byte more than is needed: zlib would make itself another buffer of the size when the first is full.
    chunkSize: Math.max(64, length + 1),
    ...dictionary,
  });
}

/** A text longer than the dictionary by this factor knows more of its kind. */
const growth = 1.5;

/** The dictionaries of a cache: for each kind, one of its objects. */
export class Dictionaries {
  readonly #newest = new Map<string, Dictionary>();

  /** For a text of the kind. What has been packed keeps the dictionary that it was packed with. */
  for(kind: string, text: string): Dictionary {
    const known = this.#newest.get(kind);
    if (known !== undefined && text.length < known.length * growth) return known;
    if (known !== undefined && known.length >= windowBytes) return known;
    const dictionary = Buffer.from(text.slice(0, windowBytes)).subarray(0, windowBytes);
    this.#newest.set(kind, dictionary);
    return dictionary;
  }

  clear(): void {
    this.#newest.clear();
  }
}
