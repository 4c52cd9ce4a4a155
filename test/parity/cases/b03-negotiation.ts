import type { ParityCase } from '../case.ts';
import {
  APPLY,
  JSON_PATCH,
  MERGE,
  PARTIAL,
  PARTIAL_LIST,
  TABLE,
  get,
  merge,
  parity,
  parityIn,
  post,
  put,
  remove,
  send,
  setup,
} from '../case.ts';
import { PLAIN, PLAINS, SAMPLE, SAMPLES, TENANT, TENANTS, plain, sample, tenant } from '../subjects.ts';

const there = setup(post(TENANTS, tenant({ labels: { a: 'b' } })));
const list = `${TENANTS}?fieldSelector=metadata.name%3D$NAME`;
const accept = (value: string | null): { Accept: string | null } => ({ Accept: value });

const answers: readonly (readonly [string, string | null])[] = [
  ['nothing', null],
  ['anything', '*/*'],
  ['any application', 'application/*'],
  ['JSON with a charset', 'application/json;charset=utf-8'],
  ['JSON pretty', 'application/json;pretty=1'],
  ['YAML', 'application/yaml'],
  ['YAML and JSON', 'application/yaml, application/json'],
  ['YAML liked more', 'application/json;q=0.5, application/yaml;q=0.9'],
  ['JSON with q=0', 'application/json;q=0, application/yaml'],
  ['text', 'text/plain'],
  ['HTML as browsers do', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['HTML alone', 'text/html'],
  ['an empty text', ''],
  ['rubbish', 'rubbish'],
  ['rubbish with JSON', 'rubbish, application/json'],
  ['a slash', '/'],
  ['upper case', 'APPLICATION/JSON'],
  ['protobuf', 'application/vnd.kubernetes.protobuf'],
  ['protobuf and JSON', 'application/vnd.kubernetes.protobuf,application/json'],
  ['CBOR', 'application/cbor'],
  ['CBOR and JSON', 'application/cbor, application/json;q=0.9'],
  ['a Table', TABLE],
  ['a Table of v1beta1', 'application/json;as=Table;v=v1beta1;g=meta.k8s.io'],
  ['a Table of v2', 'application/json;as=Table;v=v2;g=meta.k8s.io'],
  ['a Table of another group', 'application/json;as=Table;v=v1;g=foo'],
  ['a Table without group', 'application/json;as=Table;v=v1'],
  ['a Table as YAML', 'application/yaml;as=Table;v=v1;g=meta.k8s.io'],
  ['a Table as kubectl asks', `${TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`],
  ['a Table of v2 or JSON', 'application/json;as=Table;v=v2;g=meta.k8s.io, application/json'],
  ['the metadata', PARTIAL],
  ['the metadata of v1beta1', 'application/json;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io'],
  ['the metadata as YAML', 'application/yaml;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'],
  ['the metadata of a list', PARTIAL_LIST],
  ['an unknown form', 'application/json;as=Foo;v=v1;g=meta.k8s.io'],
  ['a form without version', 'application/json;as=PartialObjectMetadata;g=meta.k8s.io'],
  ['a stream', 'application/json;stream=watch'],
  [
    'the metadata, protobuf first',
    `application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,${PARTIAL},application/json`.replace(
      'application/vnd.kubernetes.protobuf',
      'application/x-none',
    ),
  ],
];

const bodies: readonly (readonly [string, string | null])[] = [
  ['none', null],
  ['JSON with a charset', 'application/json; charset=utf-8'],
  ['JSON in upper case', 'Application/JSON'],
  ['text', 'text/plain'],
  ['a form', 'application/x-www-form-urlencoded'],
  ['protobuf', 'application/vnd.kubernetes.protobuf'],
  ['CBOR', 'application/cbor'],
  ['rubbish', 'rubbish'],
  ['anything', '*/*'],
  ['JSON and something', 'application/json, text/plain'],
  ['an empty text', ''],
  ['a merge patch', MERGE],
  ['JSON with a broken parameter', 'application/json; ='],
];

const patchTypes: readonly (readonly [string, string | null])[] = [
  ['none', null],
  ['JSON', 'application/json'],
  ['strategic', 'application/strategic-merge-patch+json'],
  ['merge with a charset', `${MERGE}; charset=utf-8`],
  ['merge in upper case', MERGE.toUpperCase()],
  ['rubbish', 'rubbish'],
  ['YAML', 'application/yaml'],
  ['apply as CBOR', 'application/apply-patch+cbor'],
  ['apply as JSON', 'application/apply-patch+json'],
  ['an empty text', ''],
];

export const cases: readonly ParityCase[] = [
  ...answers.map(([name, type]) => parity(`negotiation: item, accept ${name}`, there, get(TENANT, accept(type)))),
  ...answers.map(([name, type]) => parity(`negotiation: list, accept ${name}`, there, get(list, accept(type)))),
  ...answers
    .filter(([name]) =>
      ['YAML', 'text', 'protobuf', 'a Table', 'the metadata', 'the metadata of a list', 'an unknown form'].includes(
        name,
      ),
    )
    .map(([name, type]) =>
      parity(
        `negotiation: create, accept ${name}`,
        post(TENANTS, tenant(), accept(type)),
        get(TENANT, accept(PARTIAL)),
      ),
    ),
  ...['YAML', 'text', 'a Table', 'the metadata'].flatMap((wanted) =>
    answers
      .filter(([name]) => name === wanted)
      .flatMap(([name, type]) => [
        parity(
          `negotiation: patch, accept ${name}`,
          there,
          merge(TENANT, { metadata: { labels: { x: 'y' } } }, accept(type)),
        ),
        parity(`negotiation: delete, accept ${name}`, there, remove(TENANT, undefined, accept(type))),
        parity(`negotiation: missing, accept ${name}`, get(TENANT, accept(type))),
        parity(`negotiation: scale, accept ${name}`, there, get(`${TENANT}/scale`, accept(type))),
        parity(`negotiation: status, accept ${name}`, there, get(`${TENANT}/status`, accept(type))),
        parityIn(`negotiation: deletecollection, accept ${name}`, there, remove(TENANTS, undefined, accept(type))),
      ]),
  ),
  ...bodies.map(([name, type]) =>
    parity(`negotiation: create with type ${name}`, post(TENANTS, tenant(), { 'Content-Type': type })),
  ),
  ...bodies
    .filter(([name]) => ['none', 'text', 'a merge patch', 'an empty text'].includes(name))
    .flatMap(([name, type]) => [
      parity(
        `negotiation: update with type ${name}`,
        setup(post(SAMPLES, sample())),
        put(SAMPLE, sample({}, { text: 'b' }), { 'Content-Type': type }),
      ),
      parity(`negotiation: delete with type ${name}`, there, remove(TENANT, {}, { 'Content-Type': type })),
    ]),
  ...patchTypes.map(([name, type]) =>
    parity(`negotiation: patch with type ${name}`, there, send('PATCH', TENANT, {}, { 'Content-Type': type })),
  ),
  parity(
    'negotiation: patch of what is missing with type strategic',
    send('PATCH', TENANT, {}, { 'Content-Type': 'application/strategic-merge-patch+json' }),
  ),
  parity(
    'negotiation: patch of scale with type strategic',
    there,
    send('PATCH', `${TENANT}/scale`, {}, { 'Content-Type': 'application/strategic-merge-patch+json' }),
  ),
  parity(
    'negotiation: patch of status with type strategic',
    there,
    send('PATCH', `${TENANT}/status`, {}, { 'Content-Type': 'application/strategic-merge-patch+json' }),
  ),
  ...[
    ['JSON patch as merge patch', MERGE, '[{"op":"add","path":"/metadata/labels/q","value":"r"}]'],
    ['merge patch as JSON patch', JSON_PATCH, '{"metadata":{"labels":{"q":"r"}}}'],
    ['merge patch as apply', APPLY, '{"metadata":{"labels":{"q":"r"}}}'],
  ].map(([name, type, body]) =>
    parity(`negotiation: ${name}`, there, send('PATCH', TENANT, body, { 'Content-Type': type! })),
  ),
  ...['true', '1', 'false', '0', '', 'x', 'TRUE', 't'].map((value) =>
    parity(
      `negotiation: pretty=${value === '' ? 'nothing' : value}${value === 'TRUE' ? ' loud' : ''}`,
      there,
      get(`${TENANT}?pretty=${value}`),
    ),
  ),
  ...['curl/8.0', 'Wget/1.21', 'Mozilla/5.0', 'kubectl/v1.36', 'curly'].map((agent) =>
    parity(`negotiation: user agent ${agent.replaceAll('/', ' ')}`, there, get(TENANT, { 'User-Agent': agent })),
  ),
  parity('negotiation: no user agent', there, get(TENANT, { 'User-Agent': null })),
  parity('negotiation: pretty errors', get(`${TENANT}?pretty=true`)),
  parity('negotiation: pretty Table', there, get(`${list}&pretty=true`, accept(TABLE))),
  parity('negotiation: pretty list', there, get(`${list}&pretty=true`)),
  parity('negotiation: gzip asked for what is small', there, get(TENANT, { 'Accept-Encoding': 'gzip' })),
  parity('negotiation: Accept twice', there, get(TENANT, { Accept: ['text/plain', 'application/json'] })),
  ...['Metadata', 'Object', 'None', 'Foo', ''].flatMap((include) => [
    parity(
      `negotiation: list Table, includeObject=${include === '' ? 'nothing' : include}`,
      there,
      get(`${list}&includeObject=${include}`, accept(TABLE)),
    ),
    parity(
      `negotiation: item Table, includeObject=${include === '' ? 'nothing' : include}`,
      there,
      get(`${TENANT}?includeObject=${include}`, accept(TABLE)),
    ),
  ]),
  parity('negotiation: includeObject without a Table', there, get(`${list}&includeObject=Foo`)),
  parityIn('negotiation: Table of an empty list', get(TENANTS, accept(TABLE))),
  parityIn(
    'negotiation: Table of a list in pages',
    setup(post(SAMPLES, sample({ name: 'a' }))),
    setup(post(SAMPLES, sample({ name: 'b' }))),
    get(`${SAMPLES}?limit=1`, accept(TABLE)),
  ),
  parityIn(
    'negotiation: metadata of a list in pages',
    setup(post(SAMPLES, sample({ name: 'a' }))),
    setup(post(SAMPLES, sample({ name: 'b' }))),
    get(`${SAMPLES}?limit=1`, accept(PARTIAL_LIST)),
  ),
  parity(
    'negotiation: Table of a kind without columns',
    setup(post(PLAINS, plain())),
    get(PLAIN, accept(TABLE)),
    get(`${PLAINS}?fieldSelector=metadata.name%3D$NAME`, accept(TABLE)),
  ),
  parity(
    'negotiation: YAML of a rich object',
    setup(
      post(
        SAMPLES,
        sample(
          {
            annotations: {
              a: 'yes',
              b: '1',
              c: 'x: y',
              d: ' z',
              e: 'null',
              f: '#',
              g: 'a\nb\n',
              h: '"',
              i: '0x1',
              j: '1e3',
              k: '2001-01-01',
              l: '',
              m: '~',
              n: 'é',
              o: '- a',
            },
          },
          { float: 1.5, int: 0, set: ['a'], map: {} },
        ),
      ),
    ),
    get(SAMPLE, accept('application/yaml')),
  ),
];
