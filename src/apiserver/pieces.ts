import { setImmediate } from 'node:timers/promises';

/** A part of a body: text as it is, or text that is kept in another way until it is needed. */
export type Piece = string | PackedPiece;

export interface PackedPiece {
  /** Bytes of the text. */
  readonly length: number;
  /** The text as UTF-8. */
  unpack(): Buffer;
}

/** Bytes in a chunk, about. */
const chunkBytes = 128 * 1024;

/** Length of the body that the pieces make, in bytes. */
export function lengthOfPieces(pieces: Iterable<Piece>): number {
  let length = 0;
  for (const piece of pieces) length += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  return length;
}

/** The whole as one text. */
export function textOfPieces(pieces: Iterable<Piece>): string {
  let text = '';
  for (const piece of pieces) text += typeof piece === 'string' ? piece : piece.unpack().toString();
  return text;
}

/** The body in chunks; each is made when it is asked for, and others get their turns in between. */
export async function* chunksOfPieces(pieces: Iterable<Piece>): AsyncGenerator<Buffer, void, undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  for (const piece of pieces) {
    const part = typeof piece === 'string' ? Buffer.from(piece) : piece.unpack();
    parts.push(part);
    length += part.length;
    if (length < chunkBytes) continue;
    yield Buffer.concat(parts, length);
    parts = [];
    length = 0;
    await setImmediate();
  }
  if (length > 0) yield Buffer.concat(parts, length);
}
