import { expect, test } from 'vitest';
import { chunksOfPieces, lengthOfPieces, textOfPieces, type Piece } from './pieces.ts';

function packed(text: string): Piece {
  const bytes = Buffer.from(text);
  return { length: bytes.length, unpack: () => bytes };
}

async function gather(pieces: readonly Piece[]): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOfPieces(pieces)) chunks.push(chunk);
  return chunks;
}

test('pieces make one text, whichever way it is asked for', async () => {
  const pieces = ['{"a":"', packed('ä€'), '"', packed(''), '}'];
  expect(textOfPieces(pieces)).toBe('{"a":"ä€"}');
  expect(Buffer.concat(await gather(pieces)).toString()).toBe('{"a":"ä€"}');
  expect(lengthOfPieces(pieces)).toBe(Buffer.byteLength('{"a":"ä€"}'));
  expect(await gather([])).toEqual([]);
});

test('a body larger than a chunk comes in several, made one by one, with turns for others in between', async () => {
  let unpacked = 0;
  const text = 'x'.repeat(50_000);
  const pieces = Array.from({ length: 20 }, (): Piece => {
    const bytes = Buffer.from(text);
    return {
      length: bytes.length,
      unpack: () => {
        unpacked++;
        return bytes;
      },
    };
  });
  const chunks = chunksOfPieces(pieces);
  const first = await chunks.next();
  expect((first.value as Buffer).length).toBe(150_000);
  expect(unpacked).toBe(3);
  let turns = 0;
  const turn = (): void => {
    turns++;
    setImmediate(turn);
  };
  setImmediate(turn);
  let bytes = 150_000;
  for await (const chunk of chunks) bytes += chunk.length;
  expect(bytes).toBe(1_000_000);
  expect(turns).toBeGreaterThanOrEqual(5);
});
