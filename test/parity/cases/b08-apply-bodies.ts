import type { ParityCase } from '../case.ts';
import { apply, get, parity } from '../case.ts';
import { SAMPLE, sample } from '../subjects.ts';

const one = (spec: object, metadata: Readonly<Record<string, unknown>> = {}): unknown =>
  sample(metadata, spec as Record<string, unknown>);
/** Applied as `a` where nothing was. */
const refused = (name: string, body: unknown, query = 'fieldManager=a'): ParityCase =>
  parity(`apply: ${name}`, apply(`${SAMPLE}?${query}`, body), get(SAMPLE));

export const cases: readonly ParityCase[] = [
  refused('without a field manager', one({ text: 'x' }), ''),
  refused('with an empty field manager', one({ text: 'x' }), 'fieldManager='),
  refused('with an empty body', ''),
  refused('with null', 'null'),
  refused('with an empty object', '{}'),
  refused('with a list', '[]'),
  refused('with a string', '"x"'),
  refused('with what is cut off', '{"apiVersion":'),
  refused('with YAML', 'apiVersion: $R/v1\nkind: Sample\nmetadata:\n  name: $NAME\nspec:\n  text: x\n'),
  refused('with broken YAML', 'a: [b\n'),
  refused('with two documents', 'apiVersion: $R/v1\nkind: Sample\nmetadata:\n  name: $NAME\nspec: {}\n---\na: b\n'),
  refused('without kind', { apiVersion: '$R/v1', metadata: { name: '$NAME' } }),
  refused('without apiVersion', { kind: 'Sample', metadata: { name: '$NAME' } }),
  refused('of another kind', { apiVersion: '$R/v1', kind: 'Plain', metadata: { name: '$NAME' } }),
  refused('of another version', { apiVersion: '$R/v2', kind: 'Sample', metadata: { name: '$NAME' } }),
  refused('of another group', { apiVersion: 'foo/v1', kind: 'Sample', metadata: { name: '$NAME' } }),
  refused('without metadata', { apiVersion: '$R/v1', kind: 'Sample', spec: {} }),
  refused('without a name', one({}, { name: undefined })),
  refused('with another name', one({}, { name: 'other' })),
  refused('with another namespace', one({}, { namespace: 'other' })),
  refused('with managedFields', one({}, { managedFields: [{ manager: 'x' }] })),
  refused('with managedFields empty', one({}, { managedFields: [] })),
  refused('with managedFields null', one({}, { managedFields: null })),
  refused('with a uid', one({}, { uid: '00000000-0000-4000-8000-000000000001' })),
  refused('with a resourceVersion', one({}, { resourceVersion: '1' })),
  refused('with an unknown field', one({ zip: 1 })),
  refused('with an unknown field deep down', one({ nested: { must: 'x', nope: 1 } })),
  refused('with an unknown field of an item', one({ parts: [{ name: 'x', zap: 2 }] })),
  refused('with a wrong type', one({ size: 'x' })),
  refused('with an object for a list', one({ set: {} })),
  refused('with a list for an object', one({ map: [] })),
  refused('with a string for an object', one({ nested: 'x' })),
  refused('with an invalid value', one({ size: 1000 })),
  refused('without what is required', one({ nested: {} })),
  refused('with a wrong label', one({}, { labels: { a: 1 } })),
  refused('with a broken label', one({}, { labels: { 'a b': 'c' } })),
  refused('with a generateName', one({}, { name: undefined, generateName: 'x-' })),
  refused('with a deletionTimestamp', one({}, { deletionTimestamp: '2001-01-01T00:00:00Z' })),
  refused(
    'with duplicate keys',
    '{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME"},"spec":{"text":"a","text":"b"}}',
  ),
  refused(
    'with duplicate keys, strict',
    '{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME"},"spec":{"text":"a","text":"b"}}',
    'fieldManager=a&fieldValidation=Strict',
  ),
  refused(
    'with duplicate keys in YAML',
    'apiVersion: $R/v1\nkind: Sample\nmetadata:\n  name: $NAME\nspec:\n  text: a\n  text: b\n',
  ),
  refused(
    'with prototypes',
    '{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME"},"spec":{"map":{"__proto__":"x","constructor":"y"}},"__proto__":{"polluted":true}}',
  ),
];
