import { describe, expect, test } from 'vitest';
import { DecodeError } from './json-text.ts';
import { finalizerWarnings, validateObjectMeta, validateObjectMetaUpdate } from './meta-validation.ts';
import {
  checkLabel1035,
  checkLabelValue,
  checkName,
  checkQualifiedName,
  checkSubdomain1123,
  generatedName,
} from './names.ts';
import type { Json, ObjectMeta } from './object.ts';
import { decodeObjectMeta, orderedMeta } from './object-meta.ts';
import { parseTimestamp } from './time.ts';

describe('names', () => {
  test('good ones', () => {
    for (const name of ['a', 'a.b-c', '0', 'a'.repeat(63)]) expect(checkSubdomain1123(name)).toEqual([]);
    for (const key of ['a', 'example.com/A_b.c', 'X'.repeat(63)]) expect(checkQualifiedName(key)).toEqual([]);
    for (const value of ['', 'a', 'A_b.c-d']) expect(checkLabelValue(value)).toEqual([]);
    expect(checkLabel1035('a-b')).toEqual([]);
    expect(checkName('rfc1123Subdomain', 'base-', true)).toEqual([]);
  });

  test('bad ones', () => {
    for (const name of ['', 'A', '-a', 'a-', 'a..b', 'a_b', 'ä', 'a'.repeat(254), 'a\n'])
      expect(checkSubdomain1123(name)).not.toEqual([]);
    for (const key of ['', '/', 'a/', '/a', 'a/b/c', 'A.com/b', 'a b', '__proto__', 'a'.repeat(64)]) {
      expect(checkQualifiedName(key)).not.toEqual([]);
    }
    for (const value of ['-', 'a b', 'ä', 'a'.repeat(64)]) expect(checkLabelValue(value)).not.toEqual([]);
    for (const name of ['1a', 'a.b', 'a'.repeat(64)]) expect(checkLabel1035(name)).not.toEqual([]);
  });

  test('huge values are judged in no time', () => {
    const started = performance.now();
    checkSubdomain1123(`${'a'.repeat(1_000_000)}!`);
    checkQualifiedName(`${'a'.repeat(1_000_000)}!`);
    checkLabelValue('a.'.repeat(500_000));
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('generated ones fit into 63 characters', () => {
    let next = 0;
    const name = generatedName('b'.repeat(100), () => (next = (next + 0.19) % 1));
    expect(name).toMatch(/^b{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });
});

describe('decodeObjectMeta', () => {
  test('is typed, drops empty values and names what it does not know', () => {
    const { metadata, unknownFields } = decodeObjectMeta({
      name: 'x',
      namespace: '',
      labels: {},
      annotations: { a: null, b: 'c' },
      creationTimestamp: '2026-01-01T02:00:00.5+02:00',
      deletionTimestamp: null,
      finalizers: [],
      selfLink: 'x',
      managedFields: [{ manager: 'm', time: '2026-01-01T02:00:00+02:00', fieldsV1: { 'f:a': {} }, more: 1 }],
      foo: 1,
      ownerReferences: [{ apiVersion: 'v1', kind: 'K', name: 'n', uid: 'u', extra: 1 }],
    });
    expect(metadata).toEqual({
      name: 'x',
      annotations: { a: '', b: 'c' },
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields: [{ manager: 'm', time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:a': {} } }],
      ownerReferences: [{ apiVersion: 'v1', kind: 'K', name: 'n', uid: 'u' }],
    });
    expect(unknownFields).toEqual([
      'metadata.managedFields[0].more',
      'metadata.foo',
      'metadata.ownerReferences[0].extra',
    ]);
  });

  test.each<[Json, string]>([
    ['x', 'json: cannot unmarshal string into Go value of type v1.ObjectMeta'],
    [{ labels: { a: 1 } }, 'json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string'],
    [{ labels: [] }, 'json: cannot unmarshal array into Go struct field ObjectMeta.labels of type map[string]string'],
    [{ name: 5 }, 'json: cannot unmarshal number into Go struct field ObjectMeta.name of type string'],
    [{ finalizers: 'x' }, 'json: cannot unmarshal string into Go struct field ObjectMeta.finalizers of type []string'],
    [
      { ownerReferences: [{ controller: 'x' }] },
      'json: cannot unmarshal string into Go struct field OwnerReference.ownerReferences.controller of type bool',
    ],
    [{ generation: 1.5 }, 'json: cannot unmarshal number 1.5 into Go struct field ObjectMeta.generation of type int64'],
    [{ creationTimestamp: 'x' }, 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'],
  ])('%j', (value, message) => {
    expect(() => decodeObjectMeta(value)).toThrow(new DecodeError(message));
  });

  test('prints in the order of sorted keys', () => {
    expect(Object.keys(orderedMeta({ uid: 'u', name: 'n', labels: {}, annotations: {} }))).toEqual([
      'annotations',
      'labels',
      'name',
      'uid',
    ]);
  });
});

describe('parseTimestamp', () => {
  test.each([
    ['2026-01-01T00:00:00Z', true],
    ['2026-01-01T00:00:00.123456789+01:00', true],
    ['2026-02-30T00:00:00Z', false],
    ['2026-13-01T00:00:00Z', false],
    ['2026-01-01', false],
    ['now', false],
  ])('%s: %s', (text, ok) => {
    expect(parseTimestamp(text) !== undefined).toBe(ok);
  });
});

describe('validateObjectMeta', () => {
  const fields = (meta: ObjectMeta, namespaced = true): readonly string[] =>
    validateObjectMeta(meta, namespaced, 'rfc1123Subdomain').map(({ field }) => field);

  test('a plain one is fine', () => {
    expect(fields({ name: 'x', namespace: 'y' })).toEqual([]);
  });

  test.each<[ObjectMeta, boolean, string]>([
    [{ namespace: 'y' }, true, 'metadata.name'],
    [{ name: 'X', namespace: 'y' }, true, 'metadata.name'],
    [{ name: '..', namespace: 'y' }, true, 'metadata.name'],
    [{ name: 'x' }, true, 'metadata.namespace'],
    [{ name: 'x', namespace: 'a.b' }, true, 'metadata.namespace'],
    [{ name: 'x', namespace: 'y' }, false, 'metadata.namespace'],
    [{ name: 'x', namespace: 'y', labels: { 'a b': 'c' } }, true, 'metadata.labels'],
    [{ name: 'x', namespace: 'y', annotations: { a: 'b'.repeat(300_000) } }, true, 'metadata.annotations'],
    [{ name: 'x', namespace: 'y', finalizers: ['a b'] }, true, 'metadata.finalizers'],
    [{ name: 'x', namespace: 'y', finalizers: ['orphan', 'foregroundDeletion'] }, true, 'metadata.finalizers'],
  ])('%.60j', (meta, namespaced, field) => {
    expect(fields(meta, namespaced)).toContain(field);
  });

  test('owners need an identity, and only one may be in control', () => {
    const owner = { apiVersion: 'v1', kind: 'K', name: 'n', uid: 'u', controller: true };
    expect(fields({ name: 'x', namespace: 'y', ownerReferences: [owner, { ...owner, name: 'm' }] })).toEqual([
      'metadata.ownerReferences',
    ]);
    expect(fields({ name: 'x', namespace: 'y', ownerReferences: [{ ...owner, uid: '' }] })).toEqual([
      'metadata.ownerReferences.uid',
    ]);
  });

  test('updates keep identity and take no new finalizer while the object goes', () => {
    const old: ObjectMeta = {
      name: 'x',
      uid: 'u',
      generation: 2,
      finalizers: ['a/b'],
      deletionTimestamp: '2026-01-01T00:00:00Z',
    };
    expect(validateObjectMetaUpdate(old, old)).toEqual([]);
    expect(validateObjectMetaUpdate({ ...old, finalizers: [] }, old)).toEqual([]);
    expect(validateObjectMetaUpdate({ ...old, finalizers: ['a/b', 'c/d'] }, old).map(({ field }) => field)).toEqual([
      'metadata.finalizers',
    ]);
    expect(validateObjectMetaUpdate({ ...old, uid: 'v' }, old).map(({ field }) => field)).toEqual(['metadata.uid']);
    expect(validateObjectMetaUpdate({ ...old, generation: 1 }, old).map(({ field }) => field)).toEqual([
      'metadata.generation',
    ]);
  });

  test('warns of finalizers without a domain', () => {
    const warnings = finalizerWarnings(
      { finalizers: ['foo', 'foo.bar', 'x.y/z', 'orphan', 'old'] },
      { finalizers: ['old'] },
    );
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toBe(
      'metadata.finalizers: "foo": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers',
    );
  });
});
