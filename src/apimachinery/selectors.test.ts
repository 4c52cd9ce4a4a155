import { describe, expect, test } from 'vitest';
import { parseFieldSelector } from './field-selector.ts';
import { parseLabelSelector, SelectorError } from './label-selector.ts';

describe('parseLabelSelector', () => {
  const labels = { a: 'b', n: '5', empty: '', 'example.com/x': 'in' };

  test.each([
    ['', true],
    ['a', true],
    ['!a', false],
    ['missing', false],
    ['!missing', true],
    ['a=b', true],
    ['a==b', true],
    ['a!=b', false],
    ['missing!=b', true],
    ['a in (b,c)', true],
    ['a in (c)', false],
    ['a notin (c)', true],
    ['missing notin (c)', true],
    ['a in (in,b)', true],
    ['empty=', true],
    ['empty in ()', true],
    ['empty in (,x)', true],
    ['n>4', true],
    ['n<4', false],
    ['n>5', false],
    ['a>1', false],
    ['a=b,n=5', true],
    ['a=b,n=6', false],
    [' a = b , n in ( 5 ) ', true],
    ['example.com/x=in', true],
    ['toString', false],
    ['!constructor', true],
  ])('%j: %s', (text, matches) => {
    expect(parseLabelSelector(text).matches(labels)).toBe(matches);
  });

  test.each([
    ['a===b', "unable to parse requirement: found '=', expected: identifier"],
    ['a in', "unable to parse requirement: found '' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in (b c)', "unable to parse requirement: found 'c', expected: ',' or ')'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    [',', "found ',', expected: !, identifier, or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['!a=b', "found '=', expected: ',' or 'end of string'"],
  ])('%j is refused', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(new SelectorError(message));
  });

  test.each(['-a=b', 'a=-b', 'a>b', 'a in (b!)', `${'k'.repeat(64)}=b`, 'x/y/z=b'])(
    '%j has a bad key or value',
    (text) => {
      expect(() => parseLabelSelector(text)).toThrow(SelectorError);
    },
  );

  test('is linear in time', () => {
    const started = performance.now();
    parseLabelSelector(Array.from({ length: 20_000 }, (_, i) => `k${i}=v`).join());
    expect(() => parseLabelSelector('a in ('.repeat(20_000))).toThrow(SelectorError);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('parseFieldSelector', () => {
  const fields = { 'metadata.name': 'x', 'metadata.namespace': 'y,z' };

  test.each([
    ['', true],
    ['metadata.name=x', true],
    ['metadata.name==x', true],
    ['metadata.name!=x', false],
    ['metadata.name=x,metadata.namespace=y\\,z', true],
    ['metadata.name=x,,', true],
    ['metadata.name=', false],
  ])('%j: %s', (text, matches) => {
    expect(parseFieldSelector(text).matches(fields)).toBe(matches);
  });

  test.each([
    ['foo', "invalid selector: 'foo'; can't understand 'foo'"],
    ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
  ])('%j is refused', (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(new SelectorError(message));
  });

  test('knows the name it demands', () => {
    expect(parseFieldSelector('metadata.name=x').exactMatch('metadata.name')).toBe('x');
    expect(parseFieldSelector('metadata.name!=x').exactMatch('metadata.name')).toBeUndefined();
  });
});
