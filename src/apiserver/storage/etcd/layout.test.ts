import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope, EtcdLayout } from './layout.ts';

describe('the envelope', () => {
  test('keeps any value and any claims', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.string({ unit: 'grapheme' })), (value, claims) => {
        expect(decodeEnvelope(encodeEnvelope({ value, claims }))).toEqual({ value, claims });
      }),
    );
  });

  test('is the bare object where there are no claims', () => {
    expect(encodeEnvelope({ value: '{"kind":"A"}', claims: [] })).toBe('{"kind":"A"}');
  });

  test.each(['#', '#x\n{}', '#{"a":1}\n{}', '#[1]\n{}', '#["a"'])('is not seen where it is not: %j', (text) => {
    expect(decodeEnvelope(text)).toEqual({ value: text, claims: [] });
  });
});

describe('the layout', () => {
  const layout = new EtcdLayout('/p');
  const range = (prefix: string, afterKey?: string) => {
    const found = layout.objectRange(prefix, afterKey);
    return found && [found.key.toString(), found.rangeEnd.toString()];
  };

  test('has a way back from every key', () => {
    expect(layout.keyOf(layout.objectKey('/ä/😀'))).toBe('/ä/😀');
  });

  test('ranges are exactly the prefix, and what is behind a key of it', () => {
    expect(range('/a/')).toEqual(['/p/objects/a/', '/p/objects/a0']);
    expect(range('')).toEqual(['/p/objects', '/p/objectt']);
    expect(range('/a/', '/a/b')).toEqual(['/p/objects/a/b\0', '/p/objects/a0']);
    expect(range('/b/', '/a/b')).toEqual(['/p/objects/b/', '/p/objects/b0']);
    expect(range('/a/', '/b')).toBeUndefined();
  });

  test('keeps claims and what replicas know out of the objects', () => {
    const [, end] = range('')!;
    for (const key of [layout.claimKey('x'), layout.compactKey]) {
      expect(key.toString() >= '/p/objects' && key.toString() < end!).toBe(false);
    }
  });
});
