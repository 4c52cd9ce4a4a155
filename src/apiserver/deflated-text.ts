import { constants, crc32, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';

/**
 * Text kept compressed so that compressed pieces put one behind the other are a valid compressed whole: a list is made of its
 * objects' bytes without compressing, or even looking at, any of them again.
 *
 * Each piece is raw DEFLATE ended by a full flush (RFC 1951): it begins and ends at a byte, refers to nothing before it, and is
 * not marked as the last. What is not worth compressing becomes a stored block. A gzip file (RFC 1952) is then a header, pieces, an
 * empty last block, and the checksum of the text, which can be computed from the checksums of the pieces.
 */
export interface Deflated {
  readonly bytes: Buffer;
  /** CRC-32 of the text. */
  readonly crc: number;
  /** Bytes of the text. */
  readonly length: number;
}

/** A part of a body: text as it is, or a compressed piece. */
export type Piece = string | Deflated;

/** Level 1 as kube-apiserver's gzip. The window of 8 KiB holds most objects whole and is cheaper to set up than 32. */
const options = { level: 1, windowBits: 13, memLevel: 6, finishFlush: constants.Z_FULL_FLUSH };

/** Takes some 10 microseconds a kilobyte. */
export function deflateText(text: string): Deflated {
  const plain = Buffer.from(text);
  const packed = deflateRawSync(plain, options);
  // A copy of its own size: zlib answers a slice of a larger buffer, which would stay in memory with it.
  const bytes = Buffer.allocUnsafeSlow(packed.length);
  packed.copy(bytes);
  return { bytes, crc: crc32(plain), length: plain.length };
}

/** The text of pieces that were made by `deflateText`. */
export function inflateText(pieces: readonly Deflated[]): string {
  const bytes = pieces.length === 1 ? pieces[0]!.bytes : Buffer.concat(pieces.map((piece) => piece.bytes));
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length === 0) return '';
  return inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: Math.max(64, length) }).toString();
}

/** Length of the body that the pieces make, in bytes of text. */
export function textLength(pieces: Iterable<Piece>): number {
  let length = 0;
  for (const piece of pieces) length += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  return length;
}

/** Length of the gzip file that `gzipChunks` makes of the pieces. */
export function gzipLength(pieces: Iterable<Piece>): number {
  let length = gzipHeader.length + lastBlock.length + 8;
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      const plain = Buffer.byteLength(piece);
      length += plain + 5 * Math.ceil(plain / maxStored);
    } else length += piece.bytes.length;
  }
  return length;
}

/** The whole as one text. */
export function textOfPieces(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : inflateText([piece]))).join('');
}

/** Compressed bytes in a chunk, about. */
const chunkBytes = 128 * 1024;
/** Text that is inflated at a time, about. */
const plainChunkBytes = 512 * 1024;

const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff]);
const lastBlock = Buffer.from([3, 0]);

type Join = (parts: readonly Buffer[], size: number) => Buffer;

const concat: Join = (parts, size) => Buffer.concat(parts, size);

/** The body as gzip, in chunks; `join` makes one of its parts. */
export function* gzipChunks(pieces: Iterable<Piece>, join: Join = concat): Generator<Buffer> {
  let crc = 0;
  let length = 0;
  let size = gzipHeader.length;
  let parts: Buffer[] = [gzipHeader];
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      const plain = Buffer.from(piece);
      crc = crc32(plain, crc);
      length += plain.length;
      size += pushStored(parts, plain);
    } else {
      crc = combineCrc(crc, piece.crc, piece.length);
      length += piece.length;
      parts.push(piece.bytes);
      size += piece.bytes.length;
    }
    if (size >= chunkBytes) {
      yield join(parts, size);
      parts = [];
      size = 0;
    }
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc >>> 0, 0);
  trailer.writeUInt32LE(length >>> 0, 4);
  yield Buffer.concat([...parts, lastBlock, trailer]);
}

/** The body as plain text, in chunks; inflated off the calling thread. */
export async function* plainChunks(pieces: Iterable<Piece>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  let isPlain = true;
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      const plain = Buffer.from(piece);
      length += plain.length;
      if (isPlain) parts.push(plain);
      else pushStored(parts, plain);
    } else {
      if (isPlain) {
        // From here on the chunk is a compressed one; what was gathered becomes part of it.
        const plain = Buffer.concat(parts);
        parts = [];
        pushStored(parts, plain);
        isPlain = false;
      }
      length += piece.length;
      parts.push(piece.bytes);
    }
    if (length >= plainChunkBytes) {
      yield isPlain ? Buffer.concat(parts) : await inflate(Buffer.concat(parts), length);
      parts = [];
      length = 0;
      isPlain = true;
    }
  }
  if (length > 0) yield isPlain ? Buffer.concat(parts) : await inflate(Buffer.concat(parts), length);
}

function inflate(bytes: Buffer, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    inflateRaw(bytes, { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: Math.max(64, length) }, (error, plain) => {
      if (error) reject(error);
      else resolve(plain);
    });
  });
}

const maxStored = 0xffff;

/** Adds text as stored blocks, each with five bytes in front. Answers how many bytes that is. */
function pushStored(parts: Buffer[], plain: Buffer): number {
  let size = 0;
  for (let at = 0; at < plain.length; at += maxStored) {
    const part = plain.subarray(at, at + maxStored);
    const head = Buffer.allocUnsafe(5);
    head[0] = 0;
    head.writeUInt16LE(part.length, 1);
    head.writeUInt16LE(~part.length & 0xffff, 3);
    parts.push(head, part);
    size += 5 + part.length;
  }
  return size;
}

/** CRC-32 of two texts put together, from theirs and the second's length. zlib, crc32_combine. */
export function combineCrc(first: number, second: number, secondLength: number): number {
  return (multiply(shiftBy(secondLength), first) ^ second) >>> 0;
}

const polynomial = 0xedb88320;

/** a * b modulo the polynomial, bits reflected. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let mask = 0x80000000; ; mask >>>= 1) {
    if ((a & mask) !== 0) {
      product ^= b;
      if ((a & (mask - 1)) === 0) return product;
    }
    if (mask === 1) return product;
    b = (b & 1) === 0 ? b >>> 1 : (b >>> 1) ^ polynomial;
  }
}

/** x^(2^n) modulo the polynomial. */
const powers: readonly number[] = (() => {
  const table = [0x40000000];
  for (let n = 1; n < 32; n++) table.push(multiply(table[n - 1]!, table[n - 1]!));
  return table;
})();

/** Operators of lengths seen lately: objects of one kind are of few lengths. */
const shifts = new Map<number, number>();

/** x^(8 * length) modulo the polynomial: what so many zero bytes do to a checksum. */
function shiftBy(length: number): number {
  const known = shifts.get(length);
  if (known !== undefined) return known;
  let operator = 0x80000000;
  for (let rest = length, n = 3; rest > 0; rest = Math.floor(rest / 2), n++) {
    if (rest % 2 === 1) operator = multiply(powers[n & 31]!, operator);
  }
  if (shifts.size >= 4096) shifts.clear();
  shifts.set(length, operator);
  return operator;
}
