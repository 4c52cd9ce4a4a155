import { describe, expect, it } from 'vitest';
import { FieldSet } from '../fieldpath/field-set.ts';
import { fieldElement, formatPath, keyElement, valueElement } from '../fieldpath/path-element.ts';
import type { Json } from '../object.ts';
import type { Schema } from '../schema/schema.ts';
import { objectAtom } from './atom.ts';
import { compare } from './compare.ts';
import { mergeValues } from './merge-values.ts';
import { reconcileSet } from './reconcile-set.ts';
import { removeItems } from './remove-items.ts';
import { toFieldSet } from './to-field-set.ts';
import { validate } from './validate.ts';

const schema: Schema = {
  type: 'object',
  properties: {
    set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    list: {
      type: 'array',
      items: { type: 'object', properties: { name: { type: 'string' }, value: { type: 'integer' } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
    atomic: { type: 'object', properties: { x: { type: 'integer' } }, 'x-kubernetes-map-type': 'atomic' },
    map: { type: 'object', additionalProperties: { type: 'integer' } },
    any: { 'x-kubernetes-int-or-string': true },
    half: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { in: { type: 'object', properties: { x: { type: 'integer' } } } },
    },
  },
};
const atom = objectAtom(schema);
const paths = (set: FieldSet): readonly string[] => [...set.paths()].map(formatPath);
const object = (fields: object): Json => fields as Json;

describe('merged values', () => {
  it.each([
    ['the live order stays', ['a', 'b', 'c'], ['b'], ['a', 'b', 'c']],
    ['the applied order wins', ['a', 'b', 'c'], ['c', 'a'], ['b', 'c', 'a']],
    ['new items stand where they are applied', ['a', 'c'], ['a', 'b', 'c'], ['a', 'b', 'c']],
    ['live doubles become one where they are applied', ['a', 'b', 'a'], ['a'], ['a', 'b']],
    ['null is no change', ['a'], null, ['a']],
    ['empty is no change', ['a'], [], ['a']],
  ])('of sets: %s', (_name, left, right, expected) => {
    expect(mergeValues(atom, object({ set: left }), object({ set: right }))).toEqual({ set: expected });
  });

  it('go into items and maps, but not into what is atomic', () => {
    const live = object({ list: [{ name: 'a', value: 1 }], map: { a: 1 }, atomic: { x: 1 }, any: 1 });
    const applied = object({ list: [{ name: 'b' }, { name: 'a' }], map: { b: 2 }, atomic: {}, any: 'x' });
    expect(mergeValues(atom, live, applied)).toEqual({
      list: [{ name: 'b' }, { name: 'a', value: 1 }],
      map: { a: 1, b: 2 },
      atomic: {},
      any: 'x',
    });
  });
});

describe('the set of a value', () => {
  it('has leaves, items, keys of maps and what is empty', () => {
    const value = object({
      set: ['a'],
      list: [{ name: 'a', value: null }],
      map: { k: 1 },
      atomic: { x: 1 },
      half: { new: [1], in: {} },
    });
    expect(paths(toFieldSet(atom, value))).toEqual([
      '.atomic',
      '.half.in',
      '.half.new',
      '.list[name="a"]',
      '.list[name="a"].name',
      '.list[name="a"].value',
      '.map.k',
      '.set[="a"]',
    ]);
  });
});

describe('a comparison', () => {
  it('tells what is gone, other and new; numbers by their value', () => {
    const left = object({ set: ['a', 'b'], map: { k: 1, l: 1 }, atomic: { x: 1 }, any: 1 });
    const right = object({ set: ['b', 'c'], map: { k: 2 }, atomic: { x: 2 }, any: 1.0, list: [] });
    const { removed, modified, added } = compare(atom, left, right);
    expect(paths(removed)).toEqual(['.map.l', '.set[="a"]']);
    expect(paths(modified)).toEqual(['.atomic', '.map.k']);
    expect(paths(added)).toEqual(['.list', '.set[="c"]']);
  });

  it('has an item that is named twice as one leaf', () => {
    const twice = object({
      list: [
        { name: 'a', value: 1 },
        { name: 'a', value: 2 },
      ],
    });
    const once = object({ list: [{ name: 'a', value: 1 }] });
    expect(paths(compare(atom, once, twice).added)).toEqual(['.list[name="a"]']);
    expect(paths(compare(atom, twice, once).removed)).toEqual(['.list[name="a"]']);
    expect(paths(compare(atom, twice, twice).modified)).toEqual([]);
  });
});

describe('removal', () => {
  it('leaves null where nothing is left of a container', () => {
    const gone = FieldSet.of(
      [fieldElement('set'), valueElement('a')],
      [fieldElement('list'), keyElement([{ name: 'name', value: 'a' }])],
      [fieldElement('map'), fieldElement('k')],
    );
    const value = object({ set: ['a', 'b'], list: [{ name: 'a' }], map: { k: 1 }, any: 1 });
    expect(removeItems(atom, value, gone)).toEqual({ set: ['b'], list: null, map: null, any: 1 });
  });
});

describe('validation', () => {
  const refuse = (value: object, allowDuplicates = false) => {
    try {
      validate(atom, object(value), allowDuplicates);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each([
    [{ other: 1 }, '.other: field not declared in schema'],
    [{ set: 'a' }, '.set: expected list, got &{a}'],
    [{ map: [1, 'x', null] }, '.map: expected map, got &{[1 x <nil>]}'],
    [{ map: { a: true } }, '.map.a: expected numeric (int or float), got bool'],
    [{ set: [{ b: 1, a: 'x' }] }, ".set: element 0: associative list without keys has an element that's a map type"],
    [{ set: [5] }, '.set[=5]: expected string, got &value.valueUnstructured{Value:5}'],
    [
      { list: [{ value: 1 }] },
      '.list: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for any key fields)',
    ],
    [{ list: [null] }, '.list: element 0: associative list with keys may not have a null element'],
    [
      { atomic: { x: 'a', y: 1 } },
      'errors:\n  .atomic.x: expected numeric (int or float), got string\n  .atomic.y: field not declared in schema',
    ],
  ])('of %j says %s', (value, message) => {
    expect(refuse(value)).toBe(message);
  });

  it('lets items be named twice only where that is allowed', () => {
    expect(refuse({ set: ['a', 'a'] })).toBe('.set: duplicate entries for key [="a"]');
    expect(refuse({ set: ['a', 'a'] }, true)).toBeUndefined();
  });

  it('lets anything into what preserves unknown fields, its own fields apart', () => {
    expect(refuse({ half: { x: [{ y: null }], in: { z: {} } } })).toBeUndefined();
    expect(refuse({ half: { in: { x: 'text' } } })).toBe('.half.in.x: expected numeric (int or float), got string');
  });
});

describe('a stored set under a changed schema', () => {
  it('becomes the whole of what is a leaf now', () => {
    const stored = FieldSet.of([fieldElement('atomic'), fieldElement('x')], [fieldElement('map'), fieldElement('k')]);
    expect(paths(reconcileSet(atom, stored))).toEqual(['.atomic', '.map.k']);
    const current = FieldSet.of([fieldElement('atomic')]);
    expect(reconcileSet(atom, current)).toBe(current);
  });
});
