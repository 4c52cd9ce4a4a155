import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import type { KubeObject } from '../../apimachinery/object.ts';
import { gadgetDefinition, widgetDefinition } from '../testing/widget.ts';
import { decodeMetadata, decodeObject, encodeObject, Stored, textWithRevision } from './codec.ts';
import { parseRevision } from './lister.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import { collectionPrefix, isImpossibleName, nameOfKey, objectKey } from './keys.ts';
import { finalizersForDeletion, isFinalized, markDeleting, prepareUpdate } from './object-lifecycle.ts';
import { newResource } from './resource.ts';

const widgets = newResource(widgetDefinition);
const gadgets = newResource(gadgetDefinition);

function widget(metadata: object, rest: object = {}): KubeObject {
  return { apiVersion: 'own.example.com/v1', kind: 'Widget', metadata: { name: 'a', ...metadata }, ...rest };
}

describe('codec', () => {
  test('stores without resourceVersion and answers with it', () => {
    const text = encodeObject(widgets, widget({ resourceVersion: '5', uid: 'u' }, { spec: { size: 1 } }));
    expect(text).toBe(
      '{"apiVersion":"own.example.com/v1","kind":"Widget","metadata":{"name":"a","uid":"u"},"spec":{"size":1}}',
    );
    expect(textWithRevision(text, 7)).toContain('"metadata":{"resourceVersion":"7","name":"a"');
    expect(decodeObject(text, 7).metadata.resourceVersion).toBe('7');
    expect(new Stored('k', text, 0).object.metadata.resourceVersion).toBeUndefined();
  });

  test('finds the metadata of any object in its text', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), fc.json(), (annotations, spec) => {
        const object = widget({ annotations }, { spec: JSON.parse(spec) });
        const text = encodeObject(widgets, object);
        expect(decodeMetadata(text, 9)).toEqual({
          name: 'a',
          annotations: JSON.parse(JSON.stringify(annotations)),
          resourceVersion: '9',
        });
        expect(JSON.parse(textWithRevision(text, 9)).metadata.resourceVersion).toBe('9');
      }),
      { examples: [[{ a: 'quote \\" brace } \\' }, '{"metadata":{"name":"b"}}']] },
    );
  });
});

describe('keys', () => {
  test('lead back to names', () => {
    expect(objectKey(widgets, 'ns', 'x')).toBe('/own.example.com/widgets/ns/x');
    expect(collectionPrefix(widgets, '')).toBe('/own.example.com/widgets/');
    expect(nameOfKey(widgets, '/own.example.com/widgets/ns/x')).toEqual({ namespace: 'ns', name: 'x' });
    expect(nameOfKey(gadgets, objectKey(gadgets, '', 'x'))).toEqual({ namespace: '', name: 'x' });
    expect(['.', '..', 'a/b', 'a%b', 'a\u0000'].every(isImpossibleName)).toBe(true);
  });
});

describe('continue tokens', () => {
  test('round trip', () => {
    expect(decodeContinue(encodeContinue({ revision: 5, afterKey: 'ns/x' }))).toEqual({
      revision: 5,
      afterKey: 'ns/x',
    });
    expect(decodeContinue(encodeContinue({ revision: -1, afterKey: 'x' })).revision).toBe(-1);
  });

  test.each([
    ['/ns/x\u0000', 'ns/x'],
    // Without the NUL of our own tokens the key itself comes next.
    ['ns/foo', 'ns/fon\u{10ffff}'],
    ['\ue000', '\ud7ff\u{10ffff}'],
  ])('%j goes on behind %j', (start, afterKey) => {
    const token = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: 7, start })).toString('base64url');
    expect(decodeContinue(token)).toEqual({ revision: 7, afterKey });
  });

  test.each([
    'x',
    '***',
    Buffer.from('null').toString('base64url'),
    Buffer.from('{"v":"other","rv":1,"start":"x"}').toString('base64url'),
    Buffer.from('{"v":"meta.k8s.io/v1","rv":0,"start":"x"}').toString('base64url'),
    Buffer.from('{"v":"meta.k8s.io/v1","rv":1.5,"start":"x"}').toString('base64url'),
    Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":""}').toString('base64url'),
    Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"../../other/x"}').toString('base64url'),
    Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"//x"}').toString('base64url'),
    Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"x/"}').toString('base64url'),
    `${Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"x"}').toString('base64url')}==`,
  ])('%s is refused', (token) => {
    expect(() => decodeContinue(token)).toThrow('continue key is not valid');
  });
});

describe('revisions of requests', () => {
  test.each([
    ['', undefined],
    ['0', undefined],
    ['000', undefined],
    ['007', 7],
    ['9223372036854775807', Number.MAX_SAFE_INTEGER],
    ['18446744073709551615', Number.MAX_SAFE_INTEGER],
  ])('%j is %j', (text, revision) => expect(parseRevision(text)).toBe(revision));

  test.each(['18446744073709551616', '9'.repeat(100_000)])('%.30s is out of range', (text) =>
    expect(() => parseRevision(text)).toThrow('value out of range'),
  );

  test.each(['x', '-1', '1.5', ' 1'])('%j is none', (text) =>
    expect(() => parseRevision(text)).toThrow('invalid syntax'),
  );
});

describe('life of an object', () => {
  const old = widget(
    { uid: 'u', generation: 3, creationTimestamp: '2026-01-01T00:00:00Z' },
    { spec: { size: 1 }, status: { replicas: 1 } },
  );

  test("updates keep what is the system's", () => {
    const next = prepareUpdate(
      widgets,
      'main',
      widget({ generation: 9, creationTimestamp: '2001-01-01T00:00:00Z', labels: { x: 'y' } }, { spec: { size: 1 } }),
      old,
    );
    expect(next).toEqual({ ...old, metadata: { ...old.metadata, labels: { x: 'y' } } });
    expect(
      prepareUpdate(widgets, 'main', widget({}, { spec: { size: 2 }, status: { replicas: 9 } }), old),
    ).toMatchObject({
      metadata: { generation: 4, uid: 'u' },
      status: { replicas: 1 },
    });
    expect(prepareUpdate(widgets, 'status', widget({ labels: { x: 'y' } }, { spec: { size: 2 } }), old)).toEqual({
      apiVersion: old.apiVersion,
      kind: old.kind,
      metadata: old.metadata,
      spec: { size: 1 },
    });
  });

  test.each([
    [[], {}, []],
    [['a/b'], {}, ['a/b']],
    [[], { propagationPolicy: 'Foreground' }, ['foregroundDeletion']],
    [['orphan', 'a/b'], { propagationPolicy: 'Foreground' }, ['a/b', 'foregroundDeletion']],
    [['foregroundDeletion'], { propagationPolicy: 'Orphan' }, ['orphan']],
    [['orphan'], { propagationPolicy: 'Background' }, []],
    [['orphan'], {}, ['orphan']],
    [['foregroundDeletion'], { orphanDependents: true }, ['orphan']],
    [['orphan'], { orphanDependents: false }, []],
  ] as const)('finalizers %j deleted with %j: %j', (finalizers, options, expected) => {
    expect(finalizersForDeletion({ finalizers }, { dryRun: false, ...options })).toEqual(expected);
  });

  test('deletion is marked once', () => {
    const marked = markDeleting(old, ['a/b'], '2026-02-02T00:00:00Z');
    expect(marked.metadata).toMatchObject({
      deletionTimestamp: '2026-02-02T00:00:00Z',
      deletionGracePeriodSeconds: 0,
      generation: 4,
    });
    expect(markDeleting(marked, ['a/b'], '2026-03-03T00:00:00Z')).toEqual(marked);
    expect(isFinalized(widget({ finalizers: [] }), marked)).toBe(true);
    expect(isFinalized(widget({ finalizers: ['a/b'] }), marked)).toBe(false);
    expect(isFinalized(widget({}), old)).toBe(false);
  });
});

test('a definition with a path that no column understands is refused', () => {
  expect(() =>
    newResource({
      ...gadgetDefinition,
      printerColumns: [{ name: 'X', type: 'string', description: '', jsonPath: '..x' }],
    }),
  ).toThrow('unsupported JSONPath');
});
