import { expect, test } from 'vitest';
import { anyJson, array, boolean, integer, map, nullable, object, required, string } from './builders.ts';
import { applyDefaults } from './defaulting.ts';

const item = object({ name: required(string()), protocol: string({ default: 'TCP' }) });
const schema = object({
  port: integer({ default: 6443 }),
  name: string(),
  nothing: nullable(string({ default: 'x' })),
  nested: object(
    { on: boolean({ default: true }), deep: object({ n: integer({ default: 1 }) }, { default: {} }) },
    { default: {} },
  ),
  absent: object({ on: boolean({ default: true }) }),
  list: array(item),
  byName: map(item),
  free: anyJson(),
});

const nested = { on: true, deep: { n: 1 } };
const base = { port: 6443, nothing: 'x', nested };

test.each([
  ['missing properties', {}, base],
  [
    'given values stay',
    { port: 1, nested: { on: false } },
    { ...base, port: 1, nested: { on: false, deep: { n: 1 } } },
  ],
  ['an absent parent without default stays absent', { name: 'a' }, { ...base, name: 'a' }],
  ['a present parent is filled', { absent: {} }, { ...base, absent: { on: true } }],
  ['null becomes the default', { port: null, nested: null }, base],
  ['null without default is dropped', { name: null, absent: null }, base],
  ['null stays where it is allowed', { nothing: null }, { ...base, nothing: null }],
  ['items of lists', { list: [{ name: 'a' }] }, { ...base, list: [{ name: 'a', protocol: 'TCP' }] }],
  [
    'values of maps',
    { byName: { a: { name: 'a' }, b: null } },
    { ...base, byName: { a: { name: 'a', protocol: 'TCP' } } },
  ],
  ['null in a list stays for validation', { list: [null] }, { ...base, list: [null] }],
  ['free values stay', { free: { a: null } }, { ...base, free: { a: null } }],
  ['values of a wrong type stay', { nested: 'x', list: 3 }, { ...base, nested: 'x', list: 3 }],
  ['unknown fields stay', { other: { port: null } }, { ...base, other: { port: null } }],
])('%s', (_, given, expected) => expect(applyDefaults<unknown>(schema, given)).toEqual(expected));

test('the argument is untouched and defaults are never shared', () => {
  const given = Object.freeze({ list: Object.freeze([Object.freeze({ name: 'a' })]) });
  const first = applyDefaults<Record<string, unknown>>(schema, given);
  const second = applyDefaults<Record<string, unknown>>(schema, given);
  expect(given).toEqual({ list: [{ name: 'a' }] });
  expect(first['nested']).not.toBe(second['nested']);
});

test('an object that has everything is answered as it is', () => {
  const once = applyDefaults<unknown>(schema, { list: [{ name: 'a' }] });
  expect(applyDefaults(schema, once)).toBe(once);
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is a key like any other', (key) => {
  const given: unknown = JSON.parse(`{"byName": {"${key}": {"name": "a"}}, "${key}": 1}`);
  const result = applyDefaults(schema, given);
  expect(JSON.stringify(result)).toContain(`"${key}":{"name":"a","protocol":"TCP"}`);
  expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  expect({}).not.toHaveProperty('name');
});
