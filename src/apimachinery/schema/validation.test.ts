import type { Schema } from './schema.ts';
import { expect, test } from 'vitest';
import { formatFieldError } from '../field-error.ts';
import {
  anyJson,
  array,
  boolean,
  integer,
  intOrString,
  map,
  nullable,
  object,
  quantity,
  required,
  string,
  time,
} from './builders.ts';
import { prune } from './pruning.ts';
import { validate } from './validation.ts';

const item = object({ name: required(string()), port: integer() });
const schema = object({
  spec: required(
    object({
      s: string({ minLength: 2, maxLength: 4, pattern: '^[a-z\u{1F600}]*$' }),
      e: string({ enum: ['A', 'B'] }),
      i: integer({ minimum: 1, maximum: 65535 }),
      big: integer({ format: 'int64' }),
      i32: integer(),
      b: boolean(),
      n: nullable(string()),
      is: intOrString(),
      q: quantity(),
      t: time(),
      secret: string({ format: 'byte' }),
      list: array(item, { minItems: 1, maxItems: 2 }),
      set: array(string(), { listType: 'set' }),
      byKey: array(item, { listType: 'map', keys: ['name'] }),
      byTwo: array(item, { listType: 'map', keys: ['name', 'port'] }),
      m: map(integer()),
      free: anyJson(),
      o: object({ r: required(string()) }),
    }),
  ),
});

function findings(spec: unknown): readonly string[] {
  return validate(schema, { spec }).map(formatFieldError);
}

test.each([
  { s: 'ab' },
  { s: '\u{1F600}\u{1F600}\u{1F600}\u{1F600}' },
  { e: 'A' },
  { i: 1 },
  { i: 65535 },
  { i: 2.0 },
  { big: 2 ** 53 },
  { b: false },
  { n: null },
  { is: 5 },
  { is: '25%' },
  { q: 1 },
  { q: '1.5Gi' },
  { q: '100m' },
  { q: '1e3' },
  { t: '2026-01-02T03:04:05Z' },
  { t: '2024-02-29T03:04:05.123+02:00' },
  { secret: 'aGVsbG8=' },
  { list: [{ name: 'a' }] },
  { set: ['a', 'b'] },
  { byKey: [{ name: 'a' }, { name: 'b' }] },
  {
    byTwo: [
      { name: 'a', port: 1 },
      { name: 'a', port: 2 },
    ],
  },
  { m: { anything: 1 } },
  { free: { a: [1, null] } },
  { free: null },
  { o: { r: '' } },
])('valid: %j', (spec) => expect(findings(spec)).toEqual([]));

test.each<[unknown, string]>([
  [{ s: 'a' }, 'spec.s: Invalid value: "a": spec.s in body should be at least 2 chars long'],
  [{ s: 'abcde' }, 'spec.s: Too long: may not be more than 4 bytes'],
  [{ s: 'A1' }, `spec.s: Invalid value: "A1": spec.s in body should match '^[a-z\u{1F600}]*$'`],
  [{ s: 5 }, 'spec.s: Invalid value: "integer": spec.s in body must be of type string: "integer"'],
  [{ s: 1.5 }, 'spec.s: Invalid value: "number": spec.s in body must be of type string: "number"'],
  [{ s: null }, 'spec.s: Invalid value: "null": spec.s in body must be of type string: "null"'],
  [{ s: {} }, 'spec.s: Invalid value: "object": spec.s in body must be of type string: "object"'],
  [{ s: [] }, 'spec.s: Invalid value: "array": spec.s in body must be of type string: "array"'],
  [{ i32: 2 ** 31 }, 'spec.i32: Invalid value: 2147483648: spec.i32 in body must be of type integer with format int32'],
  [{ e: 'C' }, 'spec.e: Unsupported value: "C": supported values: "A", "B"'],
  [{ i: '1' }, 'spec.i: Invalid value: "string": spec.i in body must be of type integer: "string"'],
  [{ i: 1.5 }, 'spec.i: Invalid value: "number": spec.i in body must be of type integer: "number"'],
  [{ i: 0 }, 'spec.i: Invalid value: 0: spec.i in body should be greater than or equal to 1'],
  [{ i: 65536 }, 'spec.i: Invalid value: 65536: spec.i in body should be less than or equal to 65535'],
  [{ big: 1e19 }, 'spec.big: Invalid value: "number": spec.big in body must be of type integer: "number"'],
  [{ b: 'true' }, 'spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"'],
  [{ is: true }, 'spec.is: Invalid value: "boolean": spec.is in body must be of type integer,string: "boolean"'],
  [{ q: 0.5 }, 'spec.q: Invalid value: "number": spec.q in body must be of type integer,string: "number"'],
  [
    { t: '2026-02-30T00:00:00Z' },
    'spec.t: Invalid value: "2026-02-30T00:00:00Z": spec.t in body must be of type date-time: "2026-02-30T00:00:00Z"',
  ],
  [
    { secret: 'hunter2' },
    'spec.secret: Invalid value: "<not shown>": spec.secret in body must be of type byte: "<not shown>"',
  ],
  [{ list: [] }, 'spec.list: Invalid value: 0: spec.list in body should have at least 1 items'],
  [{ list: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }, 'spec.list: Too many: 3: must have at most 2 items'],
  [{ list: [{}] }, 'spec.list[0].name: Required value'],
  [{ list: {} }, 'spec.list: Invalid value: "object": spec.list in body must be of type array: "object"'],
  [{ list: [null] }, 'spec.list[0]: Invalid value: "null": spec.list[0] in body must be of type object: "null"'],
  [{ set: ['a', 'b', 'a', 'a'] }, 'spec.set[2]: Duplicate value: "a"'],
  [
    {
      byKey: [
        { name: 'a', port: 1 },
        { name: 'a', port: 2 },
      ],
    },
    'spec.byKey[1]: Duplicate value: {"name":"a"}',
  ],
  [{ byTwo: [{ name: 'a' }, { name: 'a' }] }, 'spec.byTwo[1]: Duplicate value: {"name":"a"}'],
  [{ m: { 'a/b': 'x' } }, 'spec.m.a/b: Invalid value: "string": spec.m.a/b in body must be of type integer: "string"'],
  [{ o: {} }, 'spec.o.r: Required value'],
  [{ o: [] }, 'spec.o: Invalid value: "array": spec.o in body must be of type object: "array"'],
])('%j: %s', (spec, message) => expect(findings(spec)).toEqual([message]));

test('a quantity names its pattern', () => {
  expect(findings({ q: '1 GiB' })[0]).toMatch(/^spec\.q: Invalid value: "1 GiB": spec\.q in body should match /);
});

test('a value of a wrong type is no supported value either', () => {
  expect(findings({ e: null })).toEqual([
    'spec.e: Invalid value: "null": spec.e in body must be of type string: "null"',
    'spec.e: Unsupported value: null: supported values: "A", "B"',
  ]);
});

test('all findings are told', () => {
  expect(findings({ s: 'a', i: 0, o: {} })).toHaveLength(3);
});

test('a whole object without spec', () => {
  expect(validate(schema, {})).toEqual([{ type: 'FieldValueRequired', field: 'spec', message: 'Required value' }]);
});

test.each([null, 1, 'x', [], true])('what is no object at all: %j', (value) => {
  expect(validate(schema, value)).toMatchObject([{ type: 'FieldValueTypeInvalid', field: '' }]);
});

test.each(['__proto__', 'constructor', 'toString'])('%s is a key like any other', (key) => {
  expect(findings(JSON.parse(`{"m": {"${key}": "x"}}`))).toEqual([
    `spec.m.${key}: Invalid value: "string": spec.m.${key} in body must be of type integer: "string"`,
  ]);
  expect(findings(JSON.parse(`{"o": {"${key}": "x"}}`))).toEqual(['spec.o.r: Required value']);
});

test('an embedded resource needs a type, and metadata as a whole one has it', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      template: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
      },
    },
  };
  const found = (template: object): readonly string[] => validate(schema, { template }).map(({ field }) => field);
  expect(found({ metadata: {} })).toEqual(['template.apiVersion', 'template.kind']);
  expect(found({ apiVersion: 'v1', kind: 'a b' })).toEqual(['template.kind']);
  expect(found({ apiVersion: 'v1', kind: 'Pod', metadata: { labels: { 'a b': 'c' } } })).toEqual([
    'template.metadata.labels',
  ]);
  expect(found({ apiVersion: 'v1', kind: 'Pod', spec: { anything: 1 } })).toEqual([]);
  const loose = { template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', foo: 1 } } };
  expect(prune(schema, loose)).toEqual({
    object: { template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } } },
    unknownFields: ['template.metadata.foo'],
  });
  expect(() => prune(schema, { template: { metadata: { name: 5 } } })).toThrow(
    'template.metadata: Invalid value: {"name":5}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string',
  );
});
