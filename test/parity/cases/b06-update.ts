import type { ParityCase } from '../case.ts';
import { get, merge, parity, post, put, remove, saved, setup } from '../case.ts';
import {
  PLAIN,
  PLAINS,
  SAMPLE,
  SAMPLES,
  STORE,
  STORES,
  TENANT,
  TENANTS,
  plain,
  sample,
  store,
  tenant,
} from '../subjects.ts';

const there = saved(
  'x',
  setup(post(SAMPLES, sample({ labels: { a: 'b' }, annotations: { c: 'd' } }, { text: 'old' }))),
);
const rv = { resourceVersion: '${x.rv}' };
const update = (name: string, body: unknown, ...more: Parameters<typeof parity>[1][]): ParityCase =>
  parity(`update: ${name}`, there, put(SAMPLE, body), get(SAMPLE), ...more);

export const cases: readonly ParityCase[] = [
  update('everything', sample({ ...rv, labels: { x: 'y' } }, { text: 'new', size: 3 })),
  update('nothing', sample({ ...rv, labels: { a: 'b' }, annotations: { c: 'd' } }, { text: 'old' })),
  update('labels alone', sample({ ...rv, labels: { x: 'y' } }, { text: 'old' })),
  update('without a resourceVersion', sample({}, { text: 'new' })),
  update('with an empty resourceVersion', sample({ resourceVersion: '' }, { text: 'new' })),
  update('with resourceVersion 0', sample({ resourceVersion: '0' }, { text: 'new' })),
  update('with an old resourceVersion', sample({ resourceVersion: '1' }, { text: 'new' })),
  update('with a resourceVersion of the future', sample({ resourceVersion: '999999999' }, { text: 'new' })),
  update('with a resourceVersion that is no number', sample({ resourceVersion: 'x' }, { text: 'new' })),
  update(
    'with a resourceVersion that is a number of JSON',
    '{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME","resourceVersion":5},"spec":{}}',
  ),
  update('with another name', sample({ ...rv, name: 'other' }, {})),
  update('without a name', sample({ ...rv, name: undefined }, { text: 'new' })),
  update('with another namespace', sample({ ...rv, namespace: 'other' }, {})),
  update('with another uid', sample({ ...rv, uid: '00000000-0000-4000-8000-000000000001' }, {})),
  update('with its uid', sample({ ...rv, uid: '${x.uid}' }, { text: 'new' })),
  update('with an empty uid', sample({ ...rv, uid: '' }, { text: 'new' })),
  update(
    'with another creationTimestamp',
    sample({ ...rv, creationTimestamp: '2001-01-01T00:00:00Z' }, { text: 'new' }),
  ),
  update('with another generation', sample({ ...rv, generation: 77 }, { text: 'old' })),
  update('with a deletionTimestamp', sample({ ...rv, deletionTimestamp: '2001-01-01T00:00:00Z' }, { text: 'new' })),
  update('with a selfLink', sample({ ...rv, selfLink: '/x' }, { text: 'new' })),
  update('with a generateName', sample({ ...rv, generateName: 'x-' }, { text: 'new' })),
  update('with a status', sample(rv, { text: 'new' }, { status: { phase: 'Running' } })),
  update(
    'with a status alone',
    sample({ ...rv, labels: { a: 'b' }, annotations: { c: 'd' } }, { text: 'old' }, { status: { phase: 'Running' } }),
  ),
  update('that is invalid', sample({ ...rv, labels: { 'x y': 'z' } }, { size: 1000, color: 'pink' })),
  update('without a spec', { apiVersion: '$R/v1', kind: 'Sample', metadata: { name: '$NAME', ...rv } }),
  update('of another kind', { ...sample(rv), kind: 'Plain' }),
  update('of another version', { ...sample(rv), apiVersion: '$R/v2' }),
  update('without a kind', { ...sample(), kind: undefined }),
  update('with a body that is broken', '{'),
  update('with an empty body', ''),
  update('with finalizers', sample({ ...rv, finalizers: ['a.b/c'] }, { text: 'old' })),
  update(
    'with owners',
    sample(
      {
        ...rv,
        ownerReferences: [
          { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: '00000000-0000-4000-8000-000000000001' },
        ],
      },
      { text: 'old' },
    ),
  ),
  update('with managedFields empty', sample({ ...rv, managedFields: [] }, { text: 'new' })),
  update('with managedFields of one empty entry', sample({ ...rv, managedFields: [{}] }, { text: 'new' })),
  update('with managedFields null', sample({ ...rv, managedFields: null }, { text: 'new' })),
  update(
    'with managedFields that cannot be read',
    sample(
      {
        ...rv,
        managedFields: [
          { manager: 'x', operation: 'Update', apiVersion: '$R/v1', fieldsType: 'FieldsV1', fieldsV1: { rubbish: 1 } },
        ],
      },
      { text: 'new' },
    ),
  ),
  update(
    'with managedFields of an unknown operation',
    sample(
      {
        ...rv,
        managedFields: [{ manager: 'x', operation: 'Foo', apiVersion: '$R/v1', fieldsType: 'FieldsV1', fieldsV1: {} }],
      },
      { text: 'new' },
    ),
  ),
  update(
    'with managedFields of an unknown type',
    sample(
      {
        ...rv,
        managedFields: [
          { manager: 'x', operation: 'Update', apiVersion: '$R/v1', fieldsType: 'FieldsV2', fieldsV1: {} },
        ],
      },
      { text: 'new' },
    ),
  ),
  update(
    'with managedFields of its own',
    sample(
      {
        ...rv,
        managedFields: [
          {
            manager: 'x',
            operation: 'Update',
            apiVersion: '$R/v1',
            time: '2001-01-01T00:00:00Z',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:spec': { 'f:text': {} } },
          },
        ],
      },
      { text: 'old' },
    ),
  ),
  update('with labels null', sample({ ...rv, labels: null }, { text: 'old' })),
  update('twice with one resourceVersion', sample(rv, { text: 'new' }), put(SAMPLE, sample(rv, { text: 'newer' }))),
  parity('update: of what is missing', put(SAMPLE, sample({ resourceVersion: '1' }))),
  parity('update: of what is missing, without resourceVersion', put(SAMPLE, sample())),
  parity(
    'update: of what is missing, with a uid',
    put(SAMPLE, sample({ uid: '00000000-0000-4000-8000-000000000001' })),
  ),
  parity(
    'update: of a tenant',
    saved('x', setup(post(TENANTS, tenant()))),
    put(TENANT, tenant({ ...rv, labels: { x: 'y' } })),
    get(TENANT),
  ),
  parity(
    'update: of a tenant without resourceVersion',
    setup(post(TENANTS, tenant())),
    put(TENANT, tenant({ labels: { x: 'y' } })),
  ),
  parity(
    'update: of a data store',
    saved('x', setup(post(STORES, store()))),
    put(STORE, store(rv, { endpoints: ['a:1', 'b:2'] })),
    get(STORE),
  ),
  parity(
    'update: generation of a kind without status',
    saved('x', setup(post(PLAINS, plain({}, { note: 'a', status: { b: '1' } })))),
    saved('x', put(PLAIN, plain(rv, { note: 'a', status: { b: '2' } }))),
    saved('x', put(PLAIN, plain({ ...rv, labels: { x: 'y' } }, { note: 'a', status: { b: '2' } }))),
    put(PLAIN, plain({ ...rv, labels: { x: 'y' } }, { note: 'b', status: { b: '2' } })),
  ),
  parity(
    'update: while it is being deleted',
    setup(post(SAMPLES, sample({ finalizers: ['a.b/c'] }))),
    saved('x', setup(remove(SAMPLE))),
    put(SAMPLE, sample({ ...rv, finalizers: ['a.b/c'] }, { text: 'new' })),
    get(SAMPLE),
  ),
  parity(
    'update: a new finalizer while it is being deleted',
    setup(post(SAMPLES, sample({ finalizers: ['a.b/c'] }))),
    saved('x', setup(remove(SAMPLE))),
    put(SAMPLE, sample({ ...rv, finalizers: ['a.b/c', 'a.b/d'] })),
  ),
  parity(
    'update: another finalizer while it is being deleted',
    setup(post(SAMPLES, sample({ finalizers: ['a.b/c'] }))),
    saved('x', setup(remove(SAMPLE))),
    put(SAMPLE, sample({ ...rv, finalizers: ['a.b/d'] })),
  ),
  parity(
    'update: the last finalizer',
    setup(post(SAMPLES, sample({ finalizers: ['a.b/c'] }))),
    saved('x', setup(remove(SAMPLE))),
    put(SAMPLE, sample(rv, { text: 'new' })),
    get(SAMPLE),
  ),
  parity(
    'update: one of two finalizers',
    setup(post(SAMPLES, sample({ finalizers: ['a.b/c', 'a.b/d'] }))),
    saved('x', setup(remove(SAMPLE))),
    put(SAMPLE, sample({ ...rv, finalizers: ['a.b/d'] })),
    get(SAMPLE),
  ),
  parity(
    'update: status',
    there,
    put(
      `${SAMPLE}/status`,
      sample({ ...rv, labels: { x: 'y' } }, { text: 'new' }, { status: { phase: 'Running', replicas: 2 } }),
    ),
    get(SAMPLE),
  ),
  parity(
    'update: status without resourceVersion',
    there,
    put(`${SAMPLE}/status`, sample({}, {}, { status: { phase: 'Running' } })),
    get(SAMPLE),
  ),
  parity(
    'update: status without spec',
    there,
    put(`${SAMPLE}/status`, {
      apiVersion: '$R/v1',
      kind: 'Sample',
      metadata: { name: '$NAME', ...rv },
      status: { phase: 'Running' },
    }),
    get(SAMPLE),
  ),
  parity('update: status without status', there, put(`${SAMPLE}/status`, sample(rv)), get(SAMPLE)),
  parity(
    'update: status that is invalid',
    there,
    put(`${SAMPLE}/status`, sample(rv, {}, { status: { phase: 'Foo', replicas: 'x', conditions: [{ type: 'a' }] } })),
    get(SAMPLE),
  ),
  parity(
    'update: status with an invalid spec',
    there,
    put(`${SAMPLE}/status`, sample(rv, { size: 1000 }, { status: { phase: 'Running' } })),
    get(SAMPLE),
  ),
  parity(
    'update: status with invalid labels',
    there,
    put(`${SAMPLE}/status`, sample({ ...rv, labels: { 'a b': 'c' } }, {}, { status: { phase: 'Running' } })),
    get(SAMPLE),
  ),
  parity(
    'update: status that is old',
    there,
    put(`${SAMPLE}/status`, sample({ resourceVersion: '1' }, {}, { status: { phase: 'Running' } })),
  ),
  parity(
    'update: status of what is missing',
    put(`${SAMPLE}/status`, sample({ resourceVersion: '1' }, {}, { status: { phase: 'Running' } })),
  ),
  parity(
    'update: status with unknown fields',
    there,
    put(`${SAMPLE}/status`, sample(rv, { zip: 1 }, { status: { phase: 'Running', zap: 1 } })),
    get(SAMPLE),
  ),
  parity(
    'update: status with duplicate conditions',
    there,
    put(
      `${SAMPLE}/status`,
      sample(
        rv,
        {},
        {
          status: {
            conditions: [
              { type: 'a', status: 'b' },
              { type: 'a', status: 'c' },
            ],
          },
        },
      ),
    ),
  ),
  parity(
    'update: status that removes the last finalizer',
    setup(post(SAMPLES, sample({ finalizers: ['a.b/c'] }))),
    saved('x', setup(remove(SAMPLE))),
    put(`${SAMPLE}/status`, sample(rv, {}, { status: { phase: 'Running' } })),
    get(SAMPLE),
  ),
  parity(
    'update: status nothing',
    there,
    saved('x', setup(merge(`${SAMPLE}/status`, { status: { phase: 'Running' } }))),
    put(`${SAMPLE}/status`, sample(rv, {}, { status: { phase: 'Running' } })),
    get(SAMPLE),
  ),
  parity(
    'update: status of a tenant',
    saved('x', setup(post(TENANTS, tenant()))),
    put(`${TENANT}/status`, tenant(rv, {}, { status: { controlPlaneEndpoint: 'a:1' } })),
    get(`${TENANT}/status`),
  ),
  parity(
    'update: status with another name',
    there,
    put(`${SAMPLE}/status`, sample({ ...rv, name: 'other' }, {}, { status: {} })),
  ),
  parity('update: status of another kind', there, put(`${SAMPLE}/status`, { ...sample(rv), kind: 'Plain' })),
  parity(
    'update: status keeps what is in it from the main endpoint',
    there,
    saved('x', setup(merge(`${SAMPLE}/status`, { status: { phase: 'Running' } }))),
    put(SAMPLE, sample(rv, { text: 'new' })),
    get(SAMPLE),
  ),
];
