import type { ParityCase } from '../case.ts';
import { TABLE, get, jsonPatch, merge, parity, post, put, saved, setup } from '../case.ts';
import { SAMPLE, SAMPLES, TENANT, TENANTS, sample, scale, tenant } from '../subjects.ts';

const there = saved('x', setup(post(SAMPLES, sample({ labels: { a: 'b' } }, { replicas: 2 }))));
const withStatus = setup(merge(`${SAMPLE}/status`, { status: { replicas: 1, selector: 'a=b,c in (d)' } }));
const S = `${SAMPLE}/scale`;
const updates: readonly (readonly [string, unknown])[] = [
  ['of the replicas', scale({}, { replicas: 5 })],
  ['to 0', scale({}, { replicas: 0 })],
  ['to what it is', scale({}, { replicas: 2 })],
  ['without replicas', scale({}, {})],
  ['without a spec', { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: '$NAME', namespace: '$NS' } }],
  ['to -1', scale({}, { replicas: -1 })],
  ['beyond 32 bits', scale({}, { replicas: 4_294_967_296 })],
  ['to a fraction', scale({}, { replicas: 1.5 })],
  ['to a word', scale({}, { replicas: 'x' })],
  ['to null', scale({}, { replicas: null })],
  ['with its resourceVersion', scale({ resourceVersion: '${x.rv}' }, { replicas: 5 })],
  ['with an old resourceVersion', scale({ resourceVersion: '1' }, { replicas: 5 })],
  ['with its uid', scale({ uid: '${x.uid}' }, { replicas: 5 })],
  ['with another uid', scale({ uid: '00000000-0000-4000-8000-000000000001' }, { replicas: 5 })],
  ['with another name', scale({ name: 'other' })],
  ['without a name', scale({ name: undefined })],
  ['with another namespace', scale({ namespace: 'other' })],
  ['without a namespace', scale({ namespace: undefined }, { replicas: 5 })],
  ['with labels', scale({ labels: { x: 'y' } }, { replicas: 5 })],
  ['with a status', { ...(scale({}, { replicas: 5 }) as object), status: { replicas: 9, selector: 'x=y' } }],
  ['of another kind', { ...(scale() as object), kind: 'Pod' }],
  ['of another version', { ...(scale() as object), apiVersion: 'autoscaling/v2' }],
  ['of no kind', { metadata: { name: '$NAME', namespace: '$NS' }, spec: { replicas: 5 } }],
  ['with unknown fields', scale({}, { replicas: 5, foo: 1 })],
  ['that is cut off', '{'],
  ['that is empty', ''],
];

export const cases: readonly ParityCase[] = [
  parity('scale: get', there, get(S)),
  parity('scale: get with a status', there, withStatus, get(S)),
  parity('scale: get of what is missing', get(S)),
  parity(
    'scale: get without replicas',
    setup(post(SAMPLES, sample())),
    setup(merge(SAMPLE, { spec: { replicas: null } })),
    get(S),
  ),
  parity('scale: get as a Table', there, get(S, { Accept: TABLE })),
  parity('scale: get with a version', there, setup(get(`${SAMPLES}?limit=500`)), get(`${S}?resourceVersion=0`)),
  ...updates.map(([name, body]) => parity(`scale: update ${name}`, there, put(S, body), get(SAMPLE))),
  parity(
    'scale: update without a content type',
    there,
    put(S, scale({}, { replicas: 5 }), { 'Content-Type': null }),
    get(SAMPLE),
  ),
  parity('scale: update of what is missing', put(S, scale())),
  parity(
    'scale: update strict',
    there,
    put(`${S}?fieldValidation=Strict`, scale({}, { replicas: 5, foo: 1 })),
    get(SAMPLE),
  ),
  parity('scale: patch', there, withStatus, merge(S, { spec: { replicas: 5 } }), get(SAMPLE)),
  parity('scale: patch nothing', there, merge(S, {}), get(SAMPLE)),
  parity('scale: patch to a word', there, merge(S, { spec: { replicas: 'x' } })),
  parity('scale: patch to -1', there, merge(S, { spec: { replicas: -1 } })),
  parity('scale: patch to null', there, merge(S, { spec: { replicas: null } }), get(SAMPLE)),
  parity('scale: patch of the name', there, merge(S, { metadata: { name: 'other' } })),
  parity('scale: patch of labels', there, merge(S, { metadata: { labels: { x: 'y' } } }), get(SAMPLE)),
  parity('scale: patch of the status', there, merge(S, { status: { replicas: 9 } }), get(SAMPLE)),
  parity(
    'scale: patch with an old version',
    there,
    merge(S, { metadata: { resourceVersion: '1' }, spec: { replicas: 5 } }),
  ),
  parity('scale: patch strict', there, merge(`${S}?fieldValidation=Strict`, { spec: { foo: 1 } })),
  parity('scale: patch of the kind', there, merge(S, { kind: 'Foo' })),
  parity('scale: patch of what is missing', merge(S, {})),
  parity('scale: JSON patch', there, jsonPatch(S, [{ op: 'replace', path: '/spec/replicas', value: 7 }]), get(SAMPLE)),
  parity(
    'scale: JSON patch with a test',
    there,
    jsonPatch(S, [
      { op: 'test', path: '/spec/replicas', value: 9 },
      { op: 'replace', path: '/spec/replicas', value: 7 },
    ]),
  ),
  parity('scale: JSON patch of what is not there', there, jsonPatch(S, [{ op: 'remove', path: '/spec/foo' }])),
  parity('scale: create', there, post(S, scale())),
  parity(
    'scale: of a tenant',
    setup(post(TENANTS, tenant())),
    get(`${TENANT}/scale`),
    merge(`${TENANT}/scale`, { spec: { replicas: 3 } }),
    put(`${TENANT}/scale`, scale({}, { replicas: 4 })),
    get(TENANT),
  ),
  parity(
    'scale: of a tenant with a status',
    setup(post(TENANTS, tenant())),
    setup(
      merge(`${TENANT}/status`, {
        status: { kubernetesResources: { deployment: { name: 'x', namespace: 'y', replicas: 2, selector: 'a=b' } } },
      }),
    ),
    get(`${TENANT}/scale`),
  ),
];
