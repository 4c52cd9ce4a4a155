import { describe, expect, test } from 'vitest';
import { DecodeError } from './json-text.ts';
import { decodeYaml } from './yaml-text.ts';

describe('decodeYaml', () => {
  test('reads YAML 1.1 as Kubernetes does', () => {
    const text = [
      'a: yes',
      'b: 0o17',
      'c: 017',
      'd: 2001-01-01',
      'e: 1:30',
      'f: ~',
      '1: one',
      'true: t',
      'g: "off"',
    ].join('\n');
    expect(decodeYaml(text).value).toEqual({
      a: true,
      b: 15,
      c: 15,
      d: '2001-01-01',
      e: '1:30',
      f: null,
      1: 'one',
      true: 't',
      g: 'off',
    });
  });

  test('names repeated keys and takes the last', () => {
    const { value, findings } = decodeYaml('spec:\n  size: 3\n  size: 4\n');
    expect(value).toEqual({ spec: { size: 4 } });
    expect(findings).toEqual(['yaml: unmarshal errors:\n  line 3: key "size" already set in map']);
  });

  test('only the first document counts', () => {
    expect(decodeYaml('---\na: 1\n---\nb: 2\n').value).toEqual({ a: 1 });
  });

  test('an empty document is null', () => {
    expect(decodeYaml('').value).toBeNull();
  });

  test.each([
    ['a: [b', /^error converting YAML to JSON: yaml: line \d+: /],
    ['a: .inf', /unsupported value/],
    ['a: .nan', /unsupported value/],
    ['a: &a [*a]', /error converting YAML to JSON/],
    [`a: ${'['.repeat(600)}${']'.repeat(600)}`, /error converting YAML to JSON/],
    [`a: ${'['.repeat(250_000)}`, /exceeded max depth/],
    [`${'- '.repeat(100_000)}a`, /exceeded max depth/],
    [`${'? '.repeat(100_000)}a`, /exceeded max depth/],
  ])('refuses %.30s', (text, message) => {
    expect(() => decodeYaml(text)).toThrow(DecodeError);
    expect(() => decodeYaml(text)).toThrow(message);
  });

  test('aliases may be used but not to multiply the document', () => {
    expect(decodeYaml('a: &x {b: 1}\nc: *x\nd: {<<: *x}\n').value).toEqual({ a: { b: 1 }, c: { b: 1 }, d: { b: 1 } });
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++) lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join()}]`);
    expect(() => decodeYaml(lines.join('\n'))).toThrow(DecodeError);
  });

  test('keeps __proto__ as data', () => {
    const { value } = decodeYaml('__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n');
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
