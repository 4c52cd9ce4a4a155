import { crc32, gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkPool } from './chunk-pool.ts';
import {
  combineCrc,
  deflateText,
  gzipChunks,
  gzipLength,
  inflateText,
  plainChunks,
  textLength,
  textOfPieces,
} from './deflated-text.ts';
import type { Piece } from './deflated-text.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.tuple(fc.string({ minLength: 1 }), fc.nat(5_000)).map(([part, times]) => part.repeat(times)),
);
const piece = fc.tuple(text, fc.boolean()).filter(([content]) => content.isWellFormed());

test('the checksum of a whole follows from those of its parts', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(combineCrc(crc32(a), crc32(b), Buffer.byteLength(b))).toBe(crc32(a + b));
    }),
  );
  const long = 'x'.repeat(3_000_000);
  expect(combineCrc(crc32('head'), crc32(long), long.length)).toBe(crc32(`head${long}`));
});

test('compressed pieces and text between them are one gzip file, and one text', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (parts) => {
      const whole = parts.map(([content]) => content).join('');
      const pieces: Piece[] = parts.map(([content, packed]) => (packed ? deflateText(content) : content));
      const packed = Buffer.concat([...gzipChunks(pieces)]);
      expect(gunzipSync(packed).toString()).toBe(whole);
      expect(gzipLength(pieces)).toBe(packed.length);
      expect(textOfPieces(pieces)).toBe(whole);
      const plain: Buffer[] = [];
      for await (const chunk of plainChunks(pieces)) plain.push(chunk);
      expect(Buffer.concat(plain).toString()).toBe(whole);
      expect(textLength(pieces)).toBe(Buffer.byteLength(whole));
    }),
    { numRuns: 60 },
  );
});

test('a body larger than a chunk comes in several', async () => {
  const content = JSON.stringify(Array.from({ length: 200 }, (_, index) => ({ index, square: index * index })));
  const pieces = Array.from({ length: 1_000 }, () => deflateText(content));
  const packed = [...gzipChunks(pieces)];
  expect(packed.length).toBeGreaterThan(3);
  expect(gunzipSync(Buffer.concat(packed)).toString()).toBe(content.repeat(1_000));
  const plain: Buffer[] = [];
  for await (const chunk of plainChunks(pieces)) plain.push(chunk);
  expect(plain.length).toBeGreaterThan(3);
  expect(Buffer.concat(plain).toString()).toBe(content.repeat(1_000));
});

test('pieces become text again', () => {
  expect(inflateText([deflateText('ä€'), deflateText(''), deflateText('b')])).toBe('ä€b');
  expect(inflateText([deflateText('')])).toBe('');
});

test('chunks are made in buffers that are used again once they have been sent', () => {
  const pool = new ChunkPool();
  const pieces = Array.from({ length: 300 }, (_, index) => deflateText(`${Math.random()}${index}`.repeat(200)));
  const whole = Buffer.concat([...gzipChunks(pieces)]);
  const memory = new Set<ArrayBufferLike>();
  const sent: Buffer[] = [];
  for (const chunk of gzipChunks([...pieces, ...pieces], (parts, size) => pool.join(parts, size))) {
    memory.add(chunk.buffer);
    sent.push(Buffer.from(chunk));
    pool.giveBack(chunk);
  }
  expect(gunzipSync(Buffer.concat(sent)).toString()).toBe(gunzipSync(whole).toString().repeat(2));
  // The last chunk is one of its own.
  expect(memory.size).toBeLessThanOrEqual(2);
  const large = pool.join([Buffer.alloc(500_000)], 500_000);
  expect(large).toHaveLength(500_000);
});
