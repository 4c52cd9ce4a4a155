import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Dictionaries, PackedText } from './packed-text.ts';

const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(fc.string({ minLength: 1 }), fc.nat(8_000)).map(([part, times]) => part.repeat(times)),
  )
  .filter((content) => content.isWellFormed());

test('whatever was packed comes back, whole and the front alone, with any dictionary', () => {
  fc.assert(
    fc.property(text, text, text, (front, rest, before) => {
      const dictionary = new Dictionaries().for('kind', before);
      const packed = PackedText.of(front, rest, dictionary);
      expect(packed.unpack().toString()).toBe(front + rest);
      expect(packed.unpackFront().toString()).toBe(front);
      expect([packed.frontLength, packed.length]).toEqual([front, front + rest].map((part) => Buffer.byteLength(part)));
    }),
    { numRuns: 200 },
  );
});

test('texts longer than what DEFLATE refers back to come back, too', () => {
  const line = (seed: number): string => Array.from({ length: 9_000 }, (_, n) => `${(n * seed) % 9973},`).join('');
  const dictionary = new Dictionaries().for('kind', line(7));
  const packed = PackedText.of(line(11), line(13), dictionary);
  expect(packed.unpackFront().toString()).toBe(line(11));
  expect(packed.unpack().toString()).toBe(line(11) + line(13));
});

test('a longer text of a kind becomes its dictionary; what was packed before keeps its own', () => {
  const dictionaries = new Dictionaries();
  const small = dictionaries.for('a', 'x'.repeat(100));
  expect(dictionaries.for('a', 'y'.repeat(149))).toBe(small);
  const packed = PackedText.of('x'.repeat(50), 'x'.repeat(60), small);
  const large = dictionaries.for('a', 'y'.repeat(150));
  expect(large.toString()).toBe('y'.repeat(150));
  expect(dictionaries.for('b', 'z').toString()).toBe('z');
  expect(packed.unpack().toString()).toBe('x'.repeat(110));
  const largest = dictionaries.for('a', 'z'.repeat(100_000));
  expect(largest).toHaveLength(32 * 1024);
  expect(dictionaries.for('a', 'z'.repeat(200_000))).toBe(largest);
});
