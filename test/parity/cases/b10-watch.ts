import type { ParityCase, RequestStep } from '../case.ts';
import {
  PARTIAL,
  TABLE,
  apply,
  get,
  merge,
  parity,
  parityIn,
  post,
  put,
  remove,
  saved,
  setup,
  watch,
} from '../case.ts';
import { PLAIN, PLAINS, SAMPLE, SAMPLES, TENANT, TENANTS, plain, sample, tenant } from '../subjects.ts';

const two: readonly RequestStep[] = ['a', 'b'].map((name) =>
  setup(post(SAMPLES, sample({ name, labels: { name } }, { text: name }))),
);
const start = saved('s', setup(get(SAMPLES)));
const W = `${SAMPLES}?watch=true`;
const fromNow = `${W}&resourceVersion=\${s.rv}`;
const label = (name: string, labels: Readonly<Record<string, string | null>>): RequestStep =>
  merge(`${SAMPLES}/${name}`, { metadata: { labels } });
/** What one does to an object in its life. */
const life: readonly RequestStep[] = [
  setup(post(SAMPLES, sample({ name: 'x' }, { text: '1' }))),
  setup(merge(`${SAMPLES}/x`, { spec: { text: '2' } })),
  setup(merge(`${SAMPLES}/x`, { spec: { text: '2' } })),
  setup(merge(`${SAMPLES}/x/status`, { status: { phase: 'Running' } })),
  setup(apply(`${SAMPLES}/x?fieldManager=m`, sample({ name: 'x' }, { size: 3 }))),
  setup(merge(`${SAMPLES}/x/scale`, { spec: { replicas: 4 } })),
  setup(merge(`${SAMPLES}/x`, { metadata: { finalizers: ['a.b/c'] } })),
  setup(remove(`${SAMPLES}/x`)),
  setup(merge(`${SAMPLES}/x`, { metadata: { finalizers: null } })),
];
const INITIAL = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

const refused: readonly (readonly [string, string])[] = [
  ['a resourceVersion that is no number', 'resourceVersion=abc'],
  ['a negative resourceVersion', 'resourceVersion=-1'],
  ['a match alone', 'resourceVersionMatch=NotOlderThan'],
  ['a match with a version', 'resourceVersion=1&resourceVersionMatch=NotOlderThan'],
  ['an exact match', 'resourceVersion=1&resourceVersionMatch=Exact'],
  ['initial events alone', 'sendInitialEvents=true'],
  ['initial events, exact', 'sendInitialEvents=true&resourceVersionMatch=Exact'],
  ['initial events, unknown match', 'sendInitialEvents=true&resourceVersionMatch=Foo'],
  ['a broken label', 'labelSelector=a+in'],
  ['a broken field', 'fieldSelector=foo'],
  ['an unknown field', 'fieldSelector=spec.text%3Dx'],
  ['a broken timeout', 'timeoutSeconds=x'],
];

const accepts: readonly (readonly [string, string])[] = [
  ['YAML', 'application/yaml'],
  ['text', 'text/plain'],
  ['anything', '*/*'],
  ['a stream', 'application/json;stream=watch'],
  ['protobuf', 'application/vnd.kubernetes.protobuf;stream=watch'],
  ['CBOR', 'application/cbor-seq'],
  ['a Table', TABLE],
  ['a Table of v1beta1', 'application/json;as=Table;v=v1beta1;g=meta.k8s.io'],
  ['the metadata', PARTIAL],
  ['the metadata of a list', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'],
  ['an unknown form', 'application/json;as=Foo;v=v1;g=meta.k8s.io'],
  ['the metadata as YAML', 'application/yaml;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'],
];

export const cases: readonly ParityCase[] = [
  parityIn('watch: what is there and what comes', ...two, watch(W, 10, life)),
  parityIn('watch: from a version', ...two, start, watch(fromNow, 8, life)),
  parityIn('watch: from 0', ...two, start, watch(`${W}&resourceVersion=0`, 10, life)),
  parityIn('watch: from the past', start, ...two, ...life, watch(fromNow, 10)),
  parityIn('watch: from the past by label', start, ...two, ...life, watch(`${fromNow}&labelSelector=name`, 2)),
  parityIn(
    'watch: an empty collection',
    watch(W, 2, [setup(post(SAMPLES, sample({ name: 'x' }))), setup(remove(`${SAMPLES}/x`))]),
  ),
  parityIn(
    'watch: into a label and out again',
    ...two,
    start,
    watch(`${fromNow}&labelSelector=go%3Dyes`, 4, [
      label('a', { go: 'yes' }),
      label('a', { more: '1' }),
      label('a', { go: 'no' }),
      label('b', { more: '1' }),
      label('b', { go: 'yes' }),
      label('a', { more: '2' }),
    ]),
  ),
  parityIn(
    'watch: deleted while selected',
    ...two,
    start,
    watch(`${fromNow}&labelSelector=name%3Da`, 1, [remove(`${SAMPLES}/b`), remove(`${SAMPLES}/a`)]),
  ),
  parityIn(
    'watch: deleted with another label just before',
    ...two,
    start,
    watch(`${fromNow}&labelSelector=name%3Da`, 1, [label('a', { name: 'z' }), remove(`${SAMPLES}/a`)]),
  ),
  parityIn(
    'watch: by name',
    ...two,
    watch(`${W}&fieldSelector=metadata.name%3Da`, 2, [label('b', { x: 'y' }), label('a', { x: 'y' })]),
  ),
  parityIn(
    'watch: by a name that is missing',
    ...two,
    watch(`${W}&fieldSelector=metadata.name%3Dz`, 2, [
      label('b', { x: 'y' }),
      setup(post(SAMPLES, sample({ name: 'z' }))),
      remove(`${SAMPLES}/z`),
    ]),
  ),
  parityIn(
    'watch: by not a name',
    ...two,
    watch(`${W}&fieldSelector=metadata.name!%3Da`, 2, [label('a', { x: 'y' }), label('b', { x: 'y' })]),
  ),
  parityIn('watch: until its time is over', ...two, watch(`${W}&timeoutSeconds=1`, 'end')),
  parityIn(
    'watch: bookmarks before its time is over',
    ...two,
    watch(`${W}&timeoutSeconds=4&allowWatchBookmarks=true`, 'end'),
  ),
  parityIn('watch: a timeout of 0', ...two, watch(`${W}&timeoutSeconds=0`, 2)),
  parityIn('watch: from the future', watch(`${W}&resourceVersion=999999999&timeoutSeconds=1`, 'end')),
  parityIn('watch: from version 1', ...two, watch(`${W}&resourceVersion=1&timeoutSeconds=2`, 1)),
  parityIn('watch: initial events', ...two, watch(`${W}&${INITIAL}`, 11, life)),
  parityIn(
    'watch: initial events of nothing',
    watch(`${W}&${INITIAL}`, 2, [setup(post(SAMPLES, sample({ name: 'x' })))]),
  ),
  parityIn(
    'watch: initial events from 0',
    ...two,
    start,
    watch(`${W}&${INITIAL}&resourceVersion=0`, 4, [label('a', { x: 'y' })]),
  ),
  parityIn(
    'watch: initial events from a version',
    ...two,
    start,
    watch(`${fromNow}&${INITIAL}`, 4, [label('a', { x: 'y' })]),
  ),
  parityIn(
    'watch: initial events from nothing',
    ...two,
    watch(`${W}&${INITIAL}&resourceVersion=`, 4, [label('a', { x: 'y' })]),
  ),
  parityIn(
    'watch: initial events by label',
    ...two,
    watch(`${W}&${INITIAL}&labelSelector=name%3Da`, 3, [label('b', { x: 'y' }), label('a', { x: 'y' })]),
  ),
  parityIn(
    'watch: initial events by name',
    ...two,
    watch(`${W}&${INITIAL}&fieldSelector=metadata.name%3Db`, 3, [label('a', { x: 'y' }), label('b', { x: 'y' })]),
  ),
  parityIn(
    'watch: initial events without bookmarks',
    ...two,
    watch(`${W}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1`, 'end'),
  ),
  parityIn(
    'watch: no initial events',
    ...two,
    start,
    watch(`${fromNow}&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`, 1, [label('a', { x: 'y' })]),
  ),
  parityIn(
    'watch: no initial events, unset',
    ...two,
    watch(`${W}&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`, 1, [label('a', { x: 'y' })]),
  ),
  parityIn(
    'watch: no initial events from 0',
    ...two,
    start,
    watch(`${W}&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=0`, 1, [
      label('a', { x: 'y' }),
    ]),
  ),
  parityIn(
    'watch: initial events as Tables',
    ...two,
    watch(`${W}&${INITIAL}`, 4, [label('a', { x: 'y' })], { Accept: TABLE }),
  ),
  parityIn(
    'watch: initial events of metadata',
    ...two,
    watch(`${W}&${INITIAL}`, 4, [label('a', { x: 'y' })], { Accept: PARTIAL }),
  ),
  parityIn(
    'watch: Tables with whole objects',
    ...two,
    watch(`${W}&includeObject=Object`, 3, [label('a', { x: 'y' })], { Accept: TABLE }),
  ),
  parityIn(
    'watch: Tables without objects',
    ...two,
    watch(`${W}&includeObject=None`, 3, [label('a', { x: 'y' })], { Accept: TABLE }),
  ),
  parityIn(
    'watch: Tables with an unknown include',
    ...two,
    watch(`${W}&includeObject=Foo&timeoutSeconds=1`, 'end', [], { Accept: TABLE }),
  ),
  parityIn(
    'watch: Tables with a bookmark at the end',
    ...two,
    watch(`${W}&timeoutSeconds=4&allowWatchBookmarks=true`, 'end', [], { Accept: TABLE }),
  ),
  parityIn(
    'watch: metadata with a bookmark at the end',
    ...two,
    watch(`${W}&timeoutSeconds=4&allowWatchBookmarks=true`, 'end', [], { Accept: PARTIAL }),
  ),
  ...accepts.map(([name, accept]) =>
    parityIn(`watch: accept ${name}`, ...two, watch(`${W}&timeoutSeconds=1`, 'end', [], { Accept: accept })),
  ),
  ...refused.map(([name, query]) => parityIn(`watch: with ${name}`, get(`${W}&${query}`))),
  ...[
    ['bookmarks x', 'allowWatchBookmarks=x'],
    ['a limit', 'limit=1'],
    ['a broken limit', 'limit=x'],
    ['a continue', 'continue=abc'],
    ['a shardSelector', 'shardSelector=x'],
    ['initial events x', 'sendInitialEvents=x'],
    ['no initial events and no match', 'sendInitialEvents=false'],
    ['a name that is no name', 'fieldSelector=metadata.name%3DA_B'],
  ].map(([name, query]) => parityIn(`watch: with ${name}`, ...two, watch(`${W}&timeoutSeconds=1&${query}`, 'end'))),
  parityIn('watch: watch=x', ...two, watch(`${SAMPLES}?watch=x&timeoutSeconds=1`, 'end')),
  parityIn('watch: watch=1', watch(`${SAMPLES}?watch=1&timeoutSeconds=1`, 'end')),
  parityIn('watch: watch=TRUE', watch(`${SAMPLES}?watch=TRUE&timeoutSeconds=1`, 'end')),
  parityIn('watch: watch alone', watch(`${SAMPLES}?watch&timeoutSeconds=1`, 'end')),
  parityIn('watch: pretty', ...two, watch(`${W}&pretty=true&timeoutSeconds=1`, 'end')),
  parityIn('watch: gzip', ...two, watch(`${W}&timeoutSeconds=1`, 'end', [], { 'Accept-Encoding': 'gzip' })),
  parity(
    'watch: tenants by name',
    setup(post(TENANTS, tenant())),
    watch(`${TENANTS}?watch=true&fieldSelector=metadata.name%3D$NAME`, 3, [
      merge(TENANT, { metadata: { labels: { a: 'b' } } }),
      remove(TENANT),
    ]),
  ),
  parity(
    'watch: tenants as kubectl waits',
    setup(post(TENANTS, tenant())),
    watch(`${TENANTS}?${INITIAL}&watch=true&fieldSelector=metadata.name%3D$NAME`, 3, [
      merge(TENANT, { metadata: { labels: { a: 'b' } } }),
    ]),
  ),
  parity(
    'watch: tenants over all namespaces',
    setup(post(TENANTS, tenant({ labels: { case: '$NAME' } }))),
    watch('/apis/$G/v1alpha1/tenantcontrolplanes?watch=true&labelSelector=case%3D$NAME', 2, [remove(TENANT)]),
  ),
  parity(
    'watch: of the cluster',
    setup(post(PLAINS, plain({ labels: { case: '$NAME' } }))),
    watch(`${PLAINS}?watch=true&labelSelector=case%3D$NAME`, 2, [remove(PLAIN)]),
  ),
  parityIn(
    'watch: a namespace that is missing',
    watch('/apis/$R/v1/namespaces/missing/samples?watch=true&timeoutSeconds=1', 'end'),
  ),
  parityIn(
    'watch: created again under the same name',
    start,
    watch(fromNow, 4, [
      setup(post(SAMPLES, sample({ name: 'x' }))),
      setup(remove(`${SAMPLES}/x`)),
      setup(post(SAMPLES, sample({ name: 'x' }, { text: '2' }))),
      setup(remove(`${SAMPLES}/x`)),
    ]),
  ),
  parityIn('watch: deletecollection', ...two, start, watch(fromNow, 2, [setup(remove(SAMPLES))])),
  parityIn(
    'watch: dry runs are not seen',
    ...two,
    start,
    watch(fromNow, 1, [
      setup(post(`${SAMPLES}?dryRun=All`, sample({ name: 'x' }))),
      setup(merge(`${SAMPLES}/a?dryRun=All`, { spec: { text: 'n' } })),
      setup(remove(`${SAMPLES}/b?dryRun=All`)),
      label('a', { seen: 'yes' }),
    ]),
  ),
  parityIn(
    'watch: nothing changed is not seen',
    ...two,
    start,
    watch(fromNow, 1, [
      merge(`${SAMPLES}/a`, {}),
      merge(`${SAMPLES}/a`, { spec: { text: 'a' } }),
      label('b', { seen: 'yes' }),
    ]),
  ),
  parityIn(
    'watch: an update that ends the last finalizer',
    setup(post(SAMPLES, sample({ finalizers: ['a.b/c'], labels: { x: 'y' } }))),
    saved('x', setup(remove(SAMPLE))),
    start,
    watch(`${fromNow}&labelSelector=x%3Dy`, 1, [put(SAMPLE, sample({ resourceVersion: '${x.rv}' }, { text: 'last' }))]),
  ),
];
