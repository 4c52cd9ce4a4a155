import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { DecodeError, decodeJson, maxJsonDepth } from './json-text.ts';

describe('decodeJson', () => {
  test('answers what JSON.parse answers', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(decodeJson(text).value).toEqual(JSON.parse(text));
      }),
    );
  });

  test('accepts and refuses exactly what JSON.parse does', () => {
    const alphabet = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      '\\u00',
      ' ',
      '\n',
      'a',
    );
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (valid) expect(() => decodeJson(text)).not.toThrow();
        else expect(() => decodeJson(text)).toThrow(DecodeError);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{"a":1} x', "invalid character 'x' after top-level value"],
    ["'a'", `invalid character '\\'' looking for beginning of value`],
    ['"\u0001"', "invalid character '\\x01' in string literal"],
    ['01', "invalid character '1' after top-level value"],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['1e999', 'json: cannot unmarshal number 1e999 into Go value of type float64'],
    ['9007199254740993', 'number 9007199254740993 cannot be kept exactly'],
    ['[-9223372036854775807]', 'number -9223372036854775807 cannot be kept exactly'],
  ])('%j: %s', (text, message) => {
    expect(() => decodeJson(text)).toThrow(DecodeError);
    expect(() => decodeJson(text)).toThrow(message);
  });

  test('finds duplicate fields with their paths', () => {
    const text = '{"a":1,"b":{"c":1,"c":2},"l":[{"d":1},{"d":1,"d":2}],"a":3,"\\u0061":4}';
    const { value, findings } = decodeJson(text);
    expect(findings).toEqual(['duplicate field "b.c"', 'duplicate field "l[1].d"', 'duplicate field "a"']);
    expect(value).toEqual({ a: 4, b: { c: 2 }, l: [{ d: 1 }, { d: 2 }] });
  });

  test('limits depth and findings', () => {
    const nest = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(() => decodeJson(nest(maxJsonDepth + 1))).toThrow('exceeded max depth');
    expect(() => decodeJson('['.repeat(1_000_000))).toThrow('exceeded max depth');
    expect(decodeJson(nest(maxJsonDepth)).findings).toEqual([]);
    const many = `{${Array.from({ length: 500 }, (_, i) => `"k${i}":1,"k${i}":2`).join()}}`;
    expect(decodeJson(many).findings).toHaveLength(100);
  });

  test('keeps __proto__ as data', () => {
    const { value } = decodeJson('{"__proto__":{"polluted":true}}');
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
