import { expect, test } from 'vitest';
import { anyJson, array, integer, intOrString, nullable, object, required, string } from './builders.ts';
import { toOpenApiV2, toOpenApiV3 } from './openapi.ts';
import type { Schema } from './schema.ts';

test('version 3 says a number or string with anyOf, and all else as it is', () => {
  const schema = object({ surge: intOrString({ description: 'D' }), n: nullable(integer({ default: 1 })) });
  expect(toOpenApiV3(schema)).toEqual({
    type: 'object',
    properties: {
      surge: { description: 'D', 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
      n: { type: 'integer', format: 'int32', default: 1, nullable: true },
    },
  });
});

test.each<[string, Schema, object]>([
  ['a number or string has no type', intOrString(), { 'x-kubernetes-int-or-string': true }],
  ['a nullable value has no type', nullable(string({ description: 'D' })), { description: 'D' }],
  ['nor has a nullable object properties', nullable(object({ a: string() })), {}],
  ['free-form values have none either', anyJson(), { 'x-kubernetes-preserve-unknown-fields': true }],
  [
    'a free-form object has neither type nor properties',
    { type: 'object', properties: { a: {} }, 'x-kubernetes-preserve-unknown-fields': true },
    { 'x-kubernetes-preserve-unknown-fields': true },
  ],
  ['an array without items has no type', { type: 'array' }, {}],
  [
    'nullable properties are not required',
    object({ a: required(nullable(string())), b: required(string()) }),
    { type: 'object', properties: { a: {}, b: { type: 'string' } }, required: ['b'] },
  ],
  [
    'lists keep how they merge',
    array(object({ name: required(string()) }), { listType: 'map', keys: ['name'] }),
    {
      type: 'array',
      items: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
  ],
])('version 2: %s', (_, schema, expected) => expect(toOpenApiV2(schema)).toEqual(expected));

test('parts that are shared in the source are shared in the document', () => {
  const shared = object({ a: string() });
  const converted = toOpenApiV3(object({ x: shared, y: shared })) as { properties: Record<string, unknown> };
  expect(converted.properties['x']).toBe(converted.properties['y']);
});
