import type { ParityCase, Step } from '../case.ts';
import { APPLY, TABLE, apply, get, jsonPatch, merge, parity, post, put, remove, saved, send, setup } from '../case.ts';
import { PLAIN, SAMPLE, SAMPLES, STORE, TENANT, TENANTS, plain, sample, store, tenant } from '../subjects.ts';

const a = `${SAMPLE}?fieldManager=a`;
const b = `${SAMPLE}?fieldManager=b`;
const one = (spec: object, metadata: Readonly<Record<string, unknown>> = {}): unknown =>
  sample(metadata, spec as Record<string, unknown>);
const sequence = (name: string, ...steps: readonly Step[]): ParityCase => parity(`apply: ${name}`, ...steps);
export const cases: readonly ParityCase[] = [
  sequence('creates', apply(a, one({ text: 'x', map: { k: 'v' } }, { labels: { l: 'm' } })), get(SAMPLE)),
  sequence('creates a tenant', apply(`${TENANT}?fieldManager=a`, tenant()), get(TENANT)),
  sequence('creates a data store', apply(`${STORE}?fieldManager=a`, store()), get(STORE)),
  sequence(
    'creates a kind without subresources',
    apply(`${PLAIN}?fieldManager=a`, plain({}, { note: 'n', status: { b: 'c' } })),
    get(PLAIN),
  ),
  sequence('again changes nothing', apply(a, one({ text: 'x' })), apply(a, one({ text: 'x' })), get(SAMPLE)),
  sequence('another value', apply(a, one({ text: 'x' })), apply(a, one({ text: 'y' })), get(SAMPLE)),
  sequence(
    'what is left out goes',
    apply(a, one({ text: 'x', size: 3, map: { k: 'v', l: 'w' } })),
    apply(a, one({ map: { l: 'w' } })),
    get(SAMPLE),
  ),
  sequence(
    'what another shares stays',
    apply(a, one({ text: 'x' })),
    apply(b, one({ text: 'x' })),
    apply(a, one({})),
    get(SAMPLE),
  ),
  sequence('a conflict', apply(a, one({ text: 'x' })), apply(b, one({ text: 'y' })), get(SAMPLE)),
  sequence('two conflicts', apply(a, one({ text: 'x', size: 3 })), apply(b, one({ text: 'y', size: 4 })), get(SAMPLE)),
  sequence(
    'conflicts with two managers',
    apply(a, one({ text: 'x' })),
    apply(b, one({ size: 3 })),
    apply(`${SAMPLE}?fieldManager=c`, one({ text: 'y', size: 4 })),
  ),
  sequence(
    'by force',
    apply(a, one({ text: 'x' })),
    apply(`${b}&force=true`, one({ text: 'y' })),
    get(SAMPLE),
    apply(a, one({ text: 'x' })),
  ),
  sequence(
    'a conflict with an update',
    setup(post(SAMPLES, one({ text: 'x' }))),
    apply(a, one({ text: 'y' })),
    get(SAMPLE),
  ),
  sequence(
    'a conflict with a patch',
    apply(a, one({ size: 3 })),
    merge(SAMPLE, { spec: { text: 'x' } }),
    apply(b, one({ text: 'y' })),
  ),
  sequence(
    'the same value as an update',
    setup(post(SAMPLES, one({ text: 'x' }))),
    apply(a, one({ text: 'x' })),
    get(SAMPLE),
  ),
  sequence(
    'an update takes over',
    apply(a, one({ text: 'x' })),
    merge(SAMPLE, { spec: { text: 'y' } }),
    apply(a, one({ text: 'z' })),
    get(SAMPLE),
  ),
  sequence(
    'an update removes what was applied',
    apply(a, one({ text: 'x', size: 3 })),
    merge(SAMPLE, { spec: { text: null } }),
    get(SAMPLE),
    apply(a, one({ text: 'x', size: 3 })),
  ),
  sequence(
    'a PUT keeps ownership',
    apply(a, one({ text: 'x', size: 3 })),
    saved('x', get(SAMPLE)),
    put(SAMPLE, sample({ resourceVersion: '${x.rv}' }, { text: 'x', size: 4 })),
    get(SAMPLE),
  ),
  sequence(
    'an item of a list map',
    apply(a, one({ parts: [{ name: 'p', count: 2 }] })),
    apply(b, one({ parts: [{ name: 'q' }] })),
    apply(a, one({})),
    get(SAMPLE),
  ),
  sequence(
    'a field of an item of a list map',
    apply(a, one({ parts: [{ name: 'p', count: 2 }] })),
    apply(b, one({ parts: [{ name: 'p', tags: ['x'] }] })),
    apply(a, one({ parts: [] })),
    get(SAMPLE),
  ),
  sequence(
    'a conflict in a list map',
    apply(a, one({ parts: [{ name: 'p', count: 2 }] })),
    apply(b, one({ parts: [{ name: 'p', count: 3 }] })),
  ),
  sequence(
    'keys with a default',
    apply(a, one({ ports: [{ port: 80, name: 'x' }] })),
    apply(
      b,
      one({
        ports: [
          { port: 80, protocol: 'TCP', name: 'y' },
          { port: 80, protocol: 'UDP' },
        ],
      }),
    ),
    get(SAMPLE),
  ),
  sequence('the same key twice', apply(a, one({ parts: [{ name: 'p' }, { name: 'p' }] }))),
  sequence('the same key twice by default', apply(a, one({ ports: [{ port: 80 }, { port: 80, protocol: 'TCP' }] }))),
  sequence('a key that is missing', apply(a, one({ parts: [{ count: 2 }] }))),
  sequence('a key that is null', apply(a, one({ parts: [{ name: null }] }))),
  sequence(
    'order of a list map',
    apply(a, one({ parts: [{ name: 'p' }, { name: 'q' }] })),
    apply(b, one({ parts: [{ name: 'r' }, { name: 'q' }] })),
    apply(a, one({ parts: [{ name: 'q' }, { name: 'p' }] })),
    get(SAMPLE),
  ),
  sequence(
    'sets',
    apply(a, one({ set: ['x', 'y'] })),
    apply(b, one({ set: ['y', 'z'] })),
    apply(a, one({ set: ['x'] })),
    apply(b, one({})),
    get(SAMPLE),
  ),
  sequence('the same twice in a set', apply(a, one({ set: ['x', 'x'] }))),
  sequence(
    'sets of numbers',
    apply(a, one({ numbers: [1, 2] })),
    apply(b, one({ numbers: [2, 3] })),
    apply(a, one({})),
    get(SAMPLE),
  ),
  sequence('null in a set', apply(a, one({ set: ['x', null] }))),
  sequence(
    'atomic lists',
    apply(a, one({ atomic: [{ a: 'x' }] })),
    apply(b, one({ atomic: [{ a: 'y' }] })),
    apply(`${b}&force=true`, one({ atomic: [{ a: 'y' }] })),
    get(SAMPLE),
  ),
  sequence('lists that say nothing', apply(a, one({ list: ['x'] })), apply(b, one({ list: ['y'] }))),
  sequence(
    'atomic maps',
    apply(a, one({ atomicMap: { x: '1' } })),
    apply(b, one({ atomicMap: { y: '2' } })),
    get(SAMPLE),
  ),
  sequence(
    'maps of objects',
    apply(a, one({ objectMap: { x: { a: '1' } } })),
    apply(b, one({ objectMap: { x: { a: '1', b: 2 }, y: { a: '3' } } })),
    apply(a, one({})),
    get(SAMPLE),
  ),
  sequence(
    'free fields',
    apply(a, one({ free: { x: { y: [1, { z: 2 }] } } })),
    apply(b, one({ free: { x: { w: 1 } } })),
    apply(a, one({ free: {} })),
    get(SAMPLE),
  ),
  sequence(
    'partly free fields',
    apply(a, one({ partlyFree: { known: 'x', more: { z: 1 } } })),
    apply(b, one({ partlyFree: { inner: { a: 'y', b: 'z' } } })),
    get(SAMPLE),
  ),
  sequence('anything', apply(a, one({ anything: [1, 'x'] })), apply(b, one({ anything: { a: 1 } })), get(SAMPLE)),
  sequence(
    'an embedded object',
    apply(
      a,
      one({ template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', labels: { a: 'b' } }, spec: { y: 1 } } }),
    ),
    apply(b, one({ template: { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { c: 'd' } } } })),
    get(SAMPLE),
  ),
  sequence(
    'numbers in two notations',
    apply(a, '{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME"},"spec":{"float":1.0,"int":2}}'),
    apply(b, '{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME"},"spec":{"float":1,"int":2}}'),
    get(SAMPLE),
  ),
  sequence('an int or a string', apply(a, one({ amount: 5 })), apply(b, one({ amount: '5' }))),
  sequence("defaults are nobody's", apply(a, one({ defaulted: {} })), apply(b, one({ color: 'green' })), get(SAMPLE)),
  sequence('nulls', apply(a, one({ maybe: null, text: 'x' })), apply(b, one({ maybe: 'x' })), get(SAMPLE)),
  sequence('null for what cannot be null', apply(a, one({ text: null, map: { k: null } })), get(SAMPLE)),
  sequence(
    'empty objects and lists',
    apply(a, one({ map: {}, set: [], parts: [], nested: { must: 'x', deep: {} } })),
    apply(b, one({ map: { k: 'v' } })),
    get(SAMPLE),
    apply(a, one({})),
    get(SAMPLE),
  ),
  sequence(
    'labels and annotations',
    apply(a, one({}, { labels: { x: '1' }, annotations: { y: '2' } })),
    apply(b, one({}, { labels: { z: '3' }, annotations: { y: '4' } })),
    apply(a, one({})),
    get(SAMPLE),
  ),
  sequence(
    'finalizers',
    apply(a, one({}, { finalizers: ['a.b/c'] })),
    apply(b, one({}, { finalizers: ['a.b/d'] })),
    apply(a, one({})),
    get(SAMPLE),
  ),
  sequence(
    'owners',
    apply(
      a,
      one(
        {},
        {
          ownerReferences: [
            { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: '00000000-0000-4000-8000-000000000001' },
          ],
        },
      ),
    ),
    apply(
      b,
      one(
        {},
        {
          ownerReferences: [
            {
              apiVersion: 'v1',
              kind: 'ConfigMap',
              name: 'o',
              uid: '00000000-0000-4000-8000-000000000001',
              controller: true,
            },
          ],
        },
      ),
    ),
    get(SAMPLE),
  ),
  sequence(
    'a manager that owns nothing',
    apply(a, one({ text: 'x' })),
    apply(b, { apiVersion: '$R/v1', kind: 'Sample', metadata: { name: '$NAME' } }),
    get(SAMPLE),
  ),
  sequence(
    'a manager that lets go of all',
    apply(a, one({ text: 'x' })),
    apply(b, one({ size: 3 })),
    apply(b, { apiVersion: '$R/v1', kind: 'Sample', metadata: { name: '$NAME' } }),
    get(SAMPLE),
  ),
  sequence(
    'an object that was never tracked',
    setup(post(SAMPLES, '{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME"},"spec":{}}')),
    setup(merge(SAMPLE, { metadata: { managedFields: [{}] } })),
    merge(SAMPLE, { spec: { text: 'y' } }),
    apply(a, one({ text: 'x' })),
    apply(`${a}&force=true`, one({ text: 'x' })),
    get(SAMPLE),
  ),
  sequence(
    'managedFields that were reset',
    apply(a, one({ text: 'x' })),
    merge(SAMPLE, { metadata: { managedFields: [{}] } }),
    merge(SAMPLE, { spec: { size: 3 } }),
    apply(b, one({ text: 'x' })),
    get(SAMPLE),
  ),
  sequence(
    'the last applied configuration of kubectl',
    setup(
      post(
        `${SAMPLES}?fieldManager=kubectl-client-side-apply`,
        one(
          { text: 'x', size: 3 },
          {
            annotations: {
              'kubectl.kubernetes.io/last-applied-configuration':
                '{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME"},"spec":{"text":"x","size":3}}',
            },
          },
        ),
      ),
    ),
    apply(`${SAMPLE}?fieldManager=kubectl`, one({ text: 'y' })),
    get(SAMPLE),
  ),
  sequence(
    'as kubectl writes the last applied configuration',
    setup(
      post(
        `${SAMPLES}?fieldManager=kubectl-client-side-apply`,
        one({ text: 'x' }, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }),
      ),
    ),
    apply(`${SAMPLE}?fieldManager=kubectl&force=true`, one({ text: 'y' })),
    get(SAMPLE),
  ),
  sequence(
    'more than ten updaters',
    setup(post(`${SAMPLES}?fieldManager=a`, one({}))),
    ...Array.from({ length: 13 }, (_, i) =>
      setup(merge(`${SAMPLE}?fieldManager=m${String(i).padStart(2, '0')}`, { spec: { map: { [`k${i}`]: 'v' } } })),
    ),
    get(SAMPLE),
  ),
  sequence(
    'many appliers',
    ...Array.from({ length: 13 }, (_, i) =>
      setup(apply(`${SAMPLE}?fieldManager=m${String(i).padStart(2, '0')}`, one({ map: { [`k${i}`]: 'v' } }))),
    ),
    get(SAMPLE),
  ),
  sequence(
    'an old resourceVersion',
    setup(apply(a, one({ text: 'x' }))),
    apply(a, one({ text: 'y' }, { resourceVersion: '1' })),
    get(SAMPLE),
  ),
  sequence(
    'its resourceVersion',
    saved('x', setup(apply(a, one({ text: 'x' })))),
    apply(a, one({ text: 'y' }, { resourceVersion: '${x.rv}' })),
    get(SAMPLE),
  ),
  sequence(
    'another uid',
    setup(apply(a, one({ text: 'x' }))),
    apply(a, one({ text: 'y' }, { uid: '00000000-0000-4000-8000-000000000001' })),
  ),
  sequence(
    'its uid',
    saved('x', setup(apply(a, one({ text: 'x' })))),
    apply(a, one({ text: 'y' }, { uid: '${x.uid}' })),
    get(SAMPLE),
  ),
  sequence(
    'to what is being deleted',
    setup(apply(a, one({}, { finalizers: ['a.b/c'] }))),
    setup(remove(SAMPLE)),
    apply(a, one({ text: 'x' }, { finalizers: ['a.b/c'] })),
    apply(b, one({}, { finalizers: ['a.b/d'] })),
    apply(a, one({})),
    get(SAMPLE),
  ),
  sequence('to an invalid name', apply(`${SAMPLES}/No_Name?fieldManager=a`, one({}, { name: 'No_Name' }))),
  sequence('to a collection', apply(`${SAMPLES}?fieldManager=a`, one({}))),
  sequence(
    'in a namespace that is missing',
    apply('/apis/$G/v1alpha1/namespaces/missing/tenantcontrolplanes/$NAME?fieldManager=a', tenant()),
  ),
  sequence('answered as a Table', send('PATCH', a, one({ text: 'x' }), { 'Content-Type': APPLY, Accept: TABLE })),
  sequence(
    'JSON patch of managedFields with a test',
    saved('x', setup(apply(a, one({ text: 'x' })))),
    jsonPatch(SAMPLE, [
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: [
          {
            manager: 'z',
            operation: 'Apply',
            apiVersion: '$R/v1',
            time: '2001-01-01T00:00:00Z',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:spec': { 'f:text': {} } },
          },
        ],
      },
      { op: 'replace', path: '/metadata/resourceVersion', value: '${x.rv}' },
    ]),
    get(SAMPLE),
    apply(a, one({ text: 'y' })),
  ),
  sequence(
    'a tenant changed by two',
    setup(post(TENANTS, tenant())),
    apply(`${TENANT}?fieldManager=a&force=true`, {
      apiVersion: '$G/v1alpha1',
      kind: 'TenantControlPlane',
      metadata: { name: '$NAME' },
      spec: { controlPlane: { deployment: { replicas: 3 } } },
    }),
    apply(`${TENANT}/status?fieldManager=c`, {
      apiVersion: '$G/v1alpha1',
      kind: 'TenantControlPlane',
      metadata: { name: '$NAME' },
      status: { controlPlaneEndpoint: 'a:1' },
    }),
    get(TENANT),
  ),
  sequence(
    'the creating value again as update',
    apply(a, one({ text: 'x' })),
    merge(SAMPLE, { spec: { text: 'x' } }),
    get(SAMPLE),
  ),
  sequence(
    'an update by the applier',
    apply(a, one({ text: 'x' })),
    merge(a, { spec: { text: 'y' } }),
    get(SAMPLE),
    apply(a, one({ text: 'z' })),
    get(SAMPLE),
  ),
  sequence(
    'delete and apply again',
    apply(a, one({ text: 'x' })),
    remove(SAMPLE),
    apply(b, one({ text: 'y' })),
    get(SAMPLE),
  ),
  sequence(
    'force without a conflict',
    apply(`${a}&force=true`, one({ text: 'x' })),
    apply(`${b}&force=true`, one({ text: 'x' })),
    get(SAMPLE),
  ),
  sequence(
    'a version that nobody knows',
    setup(apply(a, one({ text: 'x' }))),
    merge(SAMPLE, {
      metadata: {
        managedFields: [
          {
            manager: 'old',
            operation: 'Apply',
            apiVersion: '$R/v0',
            time: '2001-01-01T00:00:00Z',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:spec': { 'f:text': {} } },
          },
        ],
      },
    }),
    apply(a, one({ text: 'y' })),
    get(SAMPLE),
  ),
];
