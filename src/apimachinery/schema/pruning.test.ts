import { expect, test } from 'vitest';
import { anyJson, array, map, object, string } from './builders.ts';
import { prune } from './pruning.ts';

const item = object({ name: string() });
const schema = object({
  spec: object({ a: string(), list: array(item), byName: map(item), free: anyJson(), text: string() }),
});

test.each([
  ['nothing to do', { spec: { a: 'x' } }, { spec: { a: 'x' } }, []],
  ['a field', { spec: { a: 'x', b: 1 } }, { spec: { a: 'x' } }, ['spec.b']],
  ['a field at the top', { other: {} }, {}, ['other']],
  [
    'fields in lists',
    { spec: { list: [{}, { name: 'a', x: 1 }] } },
    { spec: { list: [{}, { name: 'a' }] } },
    ['spec.list[1].x'],
  ],
  ['fields in maps', { spec: { byName: { k: { x: 1 } } } }, { spec: { byName: { k: {} } } }, ['spec.byName.k.x']],
  ['free values are kept', { spec: { free: { x: [{ y: 1 }] } } }, { spec: { free: { x: [{ y: 1 }] } } }, []],
  ['an object where a text belongs', { spec: { text: { x: 1 } } }, { spec: { text: {} } }, ['spec.text.x']],
  [
    'a list of objects where a text belongs',
    { spec: { text: [{ x: 1 }] } },
    { spec: { text: [{}] } },
    ['spec.text[0].x'],
  ],
  ['sorted', { z: 1, spec: { y: 1, b: 1 } }, { spec: {} }, ['spec.b', 'spec.y', 'z']],
  [
    'metadata at the top is not looked into',
    { apiVersion: 'v1', kind: 'K', metadata: { anything: { x: 1 } } },
    { apiVersion: 'v1', kind: 'K', metadata: { anything: { x: 1 } } },
    [],
  ],
  ['metadata elsewhere is a field', { spec: { metadata: {}, kind: '' } }, { spec: {} }, ['spec.kind', 'spec.metadata']],
])('%s', (_, given, object, unknownFields) => {
  const frozen = JSON.stringify(given);
  expect(prune<unknown>(schema, given)).toEqual({ object, unknownFields });
  expect(JSON.stringify(given)).toBe(frozen);
});

test('an object without unknown fields is answered as it is', () => {
  const given = { spec: { list: [{ name: 'a' }] } };
  expect(prune(schema, given).object).toBe(given);
});

test.each(['__proto__', 'constructor', 'toString'])('%s is unknown like any other key', (key) => {
  const given: unknown = JSON.parse(`{"spec": {"${key}": {"polluted": true}, "byName": {"${key}": {"x": 1}}}}`);
  const result = prune(schema, given);
  expect(result.unknownFields).toEqual([`spec.${key}`, `spec.byName.${key}.x`].sort());
  expect(JSON.stringify(result.object)).toBe(`{"spec":{"byName":{"${key}":{}}}}`);
  expect({}).not.toHaveProperty('polluted');
});
