import type { ParityCase } from '../case.ts';
import { get, merge, parity, parityIn, post, remove, saved, setup } from '../case.ts';
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

const there = saved('x', setup(post(SAMPLES, sample({ labels: { a: 'b' } }))));
const held = saved('x', setup(post(SAMPLES, sample({ finalizers: ['a.b/c'] }))));

const options: readonly (readonly [string, unknown, string?])[] = [
  ['nothing', undefined],
  ['an empty object', {}],
  ['an empty text', ''],
  ['null', 'null'],
  ['a list', '[]'],
  ['a string', '"x"'],
  ['cut off', '{'],
  ['unknown fields', { foo: 1 }],
  ['kind v1', { kind: 'DeleteOptions', apiVersion: 'v1' }],
  ['kind meta v1', { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1' }],
  ['kind of the group', { kind: 'DeleteOptions', apiVersion: '$R/v1' }],
  ['kind of another group', { kind: 'DeleteOptions', apiVersion: 'foo/v1' }],
  ['another kind', { kind: 'Pod', apiVersion: 'v1' }],
  ['kind alone', { kind: 'DeleteOptions' }],
  ['apiVersion alone', { apiVersion: 'v1' }],
  ['Foreground', { propagationPolicy: 'Foreground' }],
  ['Background', { propagationPolicy: 'Background' }],
  ['Orphan', { propagationPolicy: 'Orphan' }],
  ['an unknown policy', { propagationPolicy: 'Foo' }],
  ['an empty policy', { propagationPolicy: '' }],
  ['a policy that is a number', { propagationPolicy: 5 }],
  ['orphanDependents', { orphanDependents: true }],
  ['no orphanDependents', { orphanDependents: false }],
  ['orphanDependents and a policy', { orphanDependents: true, propagationPolicy: 'Orphan' }],
  ['grace 0', { gracePeriodSeconds: 0 }],
  ['grace 30', { gracePeriodSeconds: 30 }],
  ['grace -1', { gracePeriodSeconds: -1 }],
  ['grace that is a string', { gracePeriodSeconds: 'x' }],
  ['the uid', { preconditions: { uid: '${x.uid}' } }],
  ['another uid', { preconditions: { uid: '00000000-0000-4000-8000-000000000001' } }],
  ['the resourceVersion', { preconditions: { resourceVersion: '${x.rv}' } }],
  ['another resourceVersion', { preconditions: { resourceVersion: '1' } }],
  ['a resourceVersion that is no number', { preconditions: { resourceVersion: 'x' } }],
  ['uid and resourceVersion, both others', { preconditions: { uid: 'x', resourceVersion: '1' } }],
  ['preconditions empty', { preconditions: {} }],
  ['ignoring store errors', { ignoreStoreReadErrorWithClusterBreakingPotential: true }],
];

const queries: readonly (readonly [string, string])[] = [
  ['Foreground', 'propagationPolicy=Foreground'],
  ['Orphan', 'propagationPolicy=Orphan'],
  ['an unknown policy', 'propagationPolicy=Foo'],
  ['orphanDependents=true', 'orphanDependents=true'],
  ['orphanDependents=false', 'orphanDependents=false'],
  ['orphanDependents=x', 'orphanDependents=x'],
  ['grace 30', 'gracePeriodSeconds=30'],
  ['grace x', 'gracePeriodSeconds=x'],
  ['grace and policy', 'gracePeriodSeconds=0&propagationPolicy=Background'],
  ['preconditions', 'preconditions.uid=x'],
  ['ignoring store errors', 'ignoreStoreReadErrorWithClusterBreakingPotential=true'],
];

const three = ['a', 'b', 'c'].map((name) =>
  setup(post(SAMPLES, sample({ name, labels: { which: name, all: 'yes' } }))),
);

export const cases: readonly ParityCase[] = [
  ...options.map(([name, body]) => parity(`delete: body with ${name}`, there, remove(SAMPLE, body), get(SAMPLE))),
  ...options
    .filter(([name]) =>
      /^(nothing|Foreground|Background|Orphan|orphanDependents|no orphanDependents|grace 30|another uid)$/.test(name),
    )
    .map(([name, body]) =>
      parity(`delete: held, body with ${name}`, held, remove(SAMPLE, body), get(SAMPLE), remove(SAMPLE, body)),
    ),
  ...queries.map(([name, query]) =>
    parity(`delete: query with ${name}`, there, remove(`${SAMPLE}?${query}`), get(SAMPLE)),
  ),
  ...queries
    .filter(([name]) => /orphanDependents=|Foreground/.test(name))
    .map(([name, query]) =>
      parity(`delete: held, query with ${name}`, held, remove(`${SAMPLE}?${query}`), get(SAMPLE)),
    ),
  parity(
    'delete: body and query',
    there,
    remove(`${SAMPLE}?propagationPolicy=Foo`, { propagationPolicy: 'Background' }),
  ),
  parity('delete: what is missing', remove(SAMPLE)),
  parity('delete: what is missing, with faults', remove(SAMPLE, { propagationPolicy: 'Foo' })),
  parity('delete: what is missing, with a precondition', remove(SAMPLE, { preconditions: { uid: 'x' } })),
  parity('delete: a tenant', setup(post(TENANTS, tenant())), remove(TENANT), get(TENANT)),
  parity('delete: a data store', setup(post(STORES, store())), remove(STORE), get(STORE)),
  parity('delete: a plain one', setup(post(PLAINS, plain())), remove(PLAIN), get(PLAIN)),
  parity(
    'delete: a plain one that is held',
    setup(post(PLAINS, plain({ finalizers: ['a.b/c'] }))),
    remove(PLAIN),
    remove(PLAIN),
    merge(PLAIN, { metadata: { finalizers: [] } }),
    get(PLAIN),
  ),
  parity(
    'delete: held, three times with other policies',
    held,
    remove(SAMPLE, { propagationPolicy: 'Foreground' }),
    remove(SAMPLE, { propagationPolicy: 'Orphan' }),
    remove(SAMPLE, { propagationPolicy: 'Background' }),
    get(SAMPLE),
  ),
  parity(
    'delete: foreground, then background',
    there,
    remove(SAMPLE, { propagationPolicy: 'Foreground' }),
    remove(SAMPLE, { propagationPolicy: 'Background' }),
    get(SAMPLE),
  ),
  parity(
    'delete: orphan, then background',
    there,
    remove(SAMPLE, { propagationPolicy: 'Orphan' }),
    remove(SAMPLE, { propagationPolicy: 'Background' }),
    get(SAMPLE),
  ),
  parity(
    'delete: with the finalizer orphan, in the background',
    setup(post(SAMPLES, sample({ finalizers: ['orphan'] }))),
    remove(SAMPLE, { propagationPolicy: 'Background' }),
    get(SAMPLE),
  ),
  parity(
    'delete: with the finalizer orphan, without a policy',
    setup(post(SAMPLES, sample({ finalizers: ['orphan'] }))),
    remove(SAMPLE),
    get(SAMPLE),
  ),
  parity(
    'delete: with the finalizer foreground, without a policy',
    setup(post(SAMPLES, sample({ finalizers: ['foregroundDeletion'] }))),
    remove(SAMPLE),
    get(SAMPLE),
  ),
  parity(
    'delete: with the finalizer foreground, orphaning',
    setup(post(SAMPLES, sample({ finalizers: ['foregroundDeletion'] }))),
    remove(SAMPLE, { propagationPolicy: 'Orphan' }),
    get(SAMPLE),
  ),
  parity(
    'delete: held, with a precondition that has passed',
    held,
    remove(SAMPLE),
    remove(SAMPLE, { preconditions: { resourceVersion: '${x.rv}' } }),
  ),
  parity(
    'delete: created again has another uid',
    there,
    remove(SAMPLE),
    saved('y', post(SAMPLES, sample())),
    remove(SAMPLE, { preconditions: { uid: '${x.uid}' } }),
    remove(SAMPLE, { preconditions: { uid: '${y.uid}' } }),
  ),
  parity(
    'delete: as YAML',
    there,
    remove(SAMPLE, 'propagationPolicy: Foreground\n', { 'Content-Type': 'application/yaml' }),
    get(SAMPLE),
  ),
  parityIn('deletecollection: all', ...three, remove(SAMPLES), get(SAMPLES)),
  parityIn('deletecollection: none', remove(SAMPLES)),
  parityIn('deletecollection: by label', ...three, remove(`${SAMPLES}?labelSelector=which+in+(a,c)`), get(SAMPLES)),
  parityIn('deletecollection: by name', ...three, remove(`${SAMPLES}?fieldSelector=metadata.name%3Db`), get(SAMPLES)),
  parityIn('deletecollection: with a limit', ...three, remove(`${SAMPLES}?limit=2`), get(SAMPLES)),
  parityIn(
    'deletecollection: held',
    ...three,
    setup(post(SAMPLES, sample({ name: 'd', finalizers: ['a.b/c'] }))),
    remove(SAMPLES),
    get(SAMPLES),
  ),
  parityIn(
    'deletecollection: with a policy',
    ...three,
    remove(SAMPLES, { propagationPolicy: 'Foreground' }),
    get(SAMPLES),
  ),
  parityIn(
    'deletecollection: with an unknown policy',
    ...three,
    remove(SAMPLES, { propagationPolicy: 'Foo' }),
    get(SAMPLES),
  ),
  parityIn('deletecollection: with a broken body', ...three, remove(SAMPLES, '{'), get(SAMPLES)),
  parityIn(
    'deletecollection: with a precondition',
    ...three,
    remove(SAMPLES, { preconditions: { uid: 'x' } }),
    get(SAMPLES),
  ),
  parityIn('deletecollection: with a broken selector', ...three, remove(`${SAMPLES}?labelSelector=a+in`), get(SAMPLES)),
  parityIn(
    'deletecollection: with an unknown field',
    ...three,
    remove(`${SAMPLES}?fieldSelector=spec.text%3Dx`),
    get(SAMPLES),
  ),
  parityIn(
    'deletecollection: with options in the query',
    ...three,
    remove(`${SAMPLES}?propagationPolicy=Orphan`),
    get(SAMPLES),
  ),
  parityIn(
    'deletecollection: with a resourceVersion of the future',
    ...three,
    remove(`${SAMPLES}?resourceVersion=99999999`),
  ),
  parityIn(
    'deletecollection: with a grace that is no number',
    ...three,
    remove(`${SAMPLES}?gracePeriodSeconds=x`),
    get(SAMPLES),
  ),
  parity(
    'deletecollection: of the cluster',
    setup(post(PLAINS, plain({ labels: { case: '$NAME' } }))),
    remove(`${PLAINS}?labelSelector=case%3D$NAME`),
    get(PLAIN),
  ),
  parityIn('deletecollection: of tenants', setup(post(TENANTS, tenant())), remove(TENANTS), get(TENANTS)),
  parityIn(
    'deletecollection: twice while held',
    setup(post(SAMPLES, sample({ name: 'd', finalizers: ['a.b/c'] }))),
    remove(SAMPLES),
    remove(SAMPLES),
    get(SAMPLES),
  ),
];
