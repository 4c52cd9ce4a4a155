/** Large enough for a chunk of a list and the object that ends it, mostly. */
const bytes = 192 * 1024;
const maxKept = 8;

/**
 * Buffers for what is sent in chunks. Memory outside of the heap hardly presses the garbage collector: without a pool, lists of
 * megabytes would leave tens of megabytes of chunks behind.
 */
export class ChunkPool {
  readonly #kept: Buffer[] = [];

  /** One buffer with all parts; `giveBack` it once it has been sent. */
  join(parts: readonly Buffer[], size: number): Buffer {
    if (size > bytes) return Buffer.concat(parts, size);
    const buffer = this.#kept.pop() ?? Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (const part of parts) at += part.copy(buffer, at);
    return buffer.subarray(0, size);
  }

  giveBack(chunk: Buffer): void {
    const isOurs = chunk.buffer.byteLength === bytes && chunk.byteOffset === 0;
    if (isOurs && this.#kept.length < maxKept) this.#kept.push(Buffer.from(chunk.buffer));
  }
}
