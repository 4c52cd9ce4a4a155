import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../object.ts';
import { FieldSet } from './field-set.ts';
import { decodeFields, encodeFields, FieldsError, parseElement } from './fields-v1.ts';
import type { Path } from './path-element.ts';
import {
  compareElements,
  fieldElement,
  fieldPath,
  formatPath,
  indexElement,
  keyElement,
  valueElement,
} from './path-element.ts';

const path = (text: string): Path => fieldPath(text.split('.'));
const set = (...texts: readonly string[]): FieldSet => FieldSet.of(...texts.map(path));
const texts = (fields: FieldSet): readonly string[] => [...fields.paths()].map((found) => formatPath(found).slice(1));

describe('a set of fields', () => {
  it('takes paths alone, without their parents', () => {
    const fields = set('a.b.c', 'a');
    expect(fields.has(path('a.b.c'))).toBe(true);
    expect(fields.has(path('a.b'))).toBe(false);
    expect(fields.has([])).toBe(false);
    expect(fields.size).toBe(2);
  });

  it.each([
    ['union', ['a', 'b.c'], ['b', 'b.d'], ['a', 'b', 'b.c', 'b.d']],
    ['intersection', ['a', 'b', 'b.c'], ['b.c', 'a', 'c'], ['a', 'b.c']],
    ['difference', ['a', 'a.b', 'c.d'], ['a', 'c'], ['a.b', 'c.d']],
    ['recursiveDifference', ['a', 'a.b', 'c.d', 'e'], ['a', 'c'], ['e']],
  ] as const)('%s of %j and %j is %j', (operation, left, right, expected) => {
    expect(texts(set(...left)[operation](set(...right)))).toEqual(expected);
  });

  it('has leaves: members without anything below', () => {
    expect(texts(set('a', 'a.b', 'c').leaves())).toEqual(['c', 'a.b']);
  });

  it('keeps its order whatever the order of insertion', () => {
    const fields = set('z', 'b', '\u{1f600}', '\ufb01', 'a');
    expect(texts(fields)).toEqual(['a', 'b', 'z', '\ufb01', '\u{1f600}']);
    expect(fields.equals(set('\ufb01', 'a', 'z', '\u{1f600}', 'b'))).toBe(true);
  });
});

describe('path elements', () => {
  it('are in the order of upstream: fields, keys, values, indexes; numbers before text', () => {
    const elements = [
      indexElement(1),
      valueElement('a'),
      valueElement(10),
      valueElement(9),
      keyElement([
        { name: 'b', value: 1 },
        { name: 'a', value: 'x' },
      ]),
      keyElement([{ name: 'a', value: 'x' }]),
      fieldElement('z'),
    ];
    expect(elements.toSorted(compareElements).map(({ id }) => id)).toEqual([
      'f:z',
      'k:{"a":"x"}',
      'k:{"a":"x","b":1}',
      'v:9',
      'v:10',
      'v:"a"',
      'i:1',
    ]);
  });

  it('are written as Go writes them', () => {
    expect(valueElement('<&>').id).toBe('v:"\\u003c\\u0026\\u003e"');
    expect(valueElement(1e-7).id).toBe('v:1e-07');
    expect(
      formatPath([fieldElement('a'), keyElement([{ name: 'k', value: 'v' }]), valueElement(true), indexElement(2)]),
    ).toBe('.a[k="v"][=true][2]');
    expect(formatPath([valueElement(1_000_000), valueElement(1_000_000, true)])).toBe('[=1000000][=1e+06]');
  });
});

describe('fieldsV1', () => {
  it('says with a dot that a node with children is a member itself, and sorts by bytes', () => {
    const fields = set('spec', 'spec.b', 'spec.a.x');
    fields.insert([fieldElement('list'), valueElement(10)]);
    fields.insert([fieldElement('list'), valueElement(9)]);
    const encoded = encodeFields(fields);
    expect(JSON.stringify(encoded)).toBe('{"f:list":{"v:10":{},"v:9":{}},"f:spec":{".":{},"f:a":{"f:x":{}},"f:b":{}}}');
    expect(decodeFields(encoded).equals(fields)).toBe(true);
  });

  it('comes in any order, with null for nothing below and kinds that we do not know', () => {
    const odd = { 'x:new': {}, 'f:b': null, 'f:a': { 'f:c': {}, '.': {} } } as unknown as JsonObject;
    expect(texts(decodeFields(odd))).toEqual(['a', 'b', 'a.c']);
  });

  it('keeps a key named __proto__', () => {
    const text = '{"f:__proto__":{}}';
    expect(JSON.stringify(encodeFields(decodeFields(JSON.parse(text) as Json)))).toBe(text);
  });

  it.each(['f', 'spec', 'i:x', 'k:[]', 'k:{', 'v:', 'v:{'])('refuses %j', (key) => {
    expect(() => decodeFields({ [key]: {} })).toThrow(FieldsError);
  });

  it.each([5, 'text', []])('refuses %j in place of fields', (value) => {
    expect(() => decodeFields({ 'f:a': value as unknown as JsonObject })).toThrow(FieldsError);
  });

  it('reads keys with their fields sorted', () => {
    expect(parseElement('k:{"b":1,"a":2}')?.id).toBe('k:{"a":2,"b":1}');
  });
});
