import type { ParityCase, RequestStep } from '../case.ts';
import { apply, get, jsonPatch, merge, parity, parityIn, post, put, remove, saved, setup } from '../case.ts';
import { PLAIN, PLAINS, SAMPLE, SAMPLES, TENANT, TENANTS, plain, sample, scale, tenant } from '../subjects.ts';

const there = saved('x', setup(post(SAMPLES, sample({ labels: { a: 'b' } }, { text: 'old' }))));
const next = sample({ resourceVersion: '${x.rv}' }, { text: 'new' });

/** Every verb that writes, with `query` behind its path. */
function writes(query: string): readonly (readonly [string, readonly RequestStep[]])[] {
  return [
    ['create', [post(`${SAMPLES}?${query}`, sample()), get(SAMPLE)]],
    ['update', [there, put(`${SAMPLE}?${query}`, next), get(SAMPLE)]],
    ['merge patch', [there, merge(`${SAMPLE}?${query}`, { spec: { text: 'new' } }), get(SAMPLE)]],
    [
      'JSON patch',
      [there, jsonPatch(`${SAMPLE}?${query}`, [{ op: 'replace', path: '/spec/text', value: 'new' }]), get(SAMPLE)],
    ],
    [
      'apply',
      [
        there,
        apply(`${SAMPLE}?${query}${query.includes('fieldManager') ? '' : '&fieldManager=m'}`, sample({}, { size: 3 })),
        get(SAMPLE),
      ],
    ],
    ['delete', [there, remove(`${SAMPLE}?${query}`), get(SAMPLE)]],
  ];
}

const everywhere: readonly (readonly [string, string])[] = [
  ['dryRun=All', 'dryRun=All'],
  ['an unknown dryRun', 'dryRun=Some'],
  ['dryRun twice', 'dryRun=All&dryRun=All'],
  ['an empty dryRun', 'dryRun='],
  ['dryRun in lower case', 'dryRun=all'],
  ['an unknown fieldValidation', 'fieldValidation=Loose'],
  ['a fieldManager', 'fieldManager=me'],
  ['a fieldManager of 129 characters', `fieldManager=${'m'.repeat(129)}`],
  ['a fieldManager that cannot be printed', 'fieldManager=a%07b'],
];

/** Unknown and repeated fields at many places. */
const sloppy =
  '{"apiVersion":"$R/v1","kind":"Sample","foo":1,"metadata":{"name":"$NAME","bar":{"a":1},"labels":{"a":"1","a":"2"}},"spec":{"text":"a","text":"b","zip":[1,{"q":1}],"nested":{"must":"x","nope":1},"parts":[{"name":"p","odd":true},{"name":"q"}],"objectMap":{"k":{"a":"x","unknown":null}},"free":{"anything":1,"anything":2},"template":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","huh":1},"spec":{"y":1}}},"status":{"extra":1}}';

/** With one unknown field only, since upstream tells of several in any order. */
const sloppyApply =
  '{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME","labels":{"a":"1","a":"2"}},"spec":{"text":"a","text":"b","zip":1}}';

export const cases: readonly ParityCase[] = [
  ...everywhere.flatMap(([name, query]) =>
    writes(query).map(([verb, steps]) => parity(`options: ${name} at ${verb}`, ...steps)),
  ),
  ...['Ignore', 'Warn', 'Strict', ''].flatMap((mode) => [
    parity(
      `options: fieldValidation=${mode || 'nothing'} create`,
      post(`${SAMPLES}?fieldValidation=${mode}`, sloppy),
      get(SAMPLE),
    ),
    parity(
      `options: fieldValidation=${mode || 'nothing'} update`,
      there,
      put(
        `${SAMPLE}?fieldValidation=${mode}`,
        sloppy.replace('"name":"$NAME"', '"name":"$NAME","resourceVersion":"${x.rv}"'),
      ),
      get(SAMPLE),
    ),
    parity(
      `options: fieldValidation=${mode || 'nothing'} merge patch`,
      there,
      merge(`${SAMPLE}?fieldValidation=${mode}`, sloppy),
      get(SAMPLE),
    ),
    parity(
      `options: fieldValidation=${mode || 'nothing'} apply`,
      apply(`${SAMPLE}?fieldManager=m&fieldValidation=${mode}`, sloppyApply),
      get(SAMPLE),
    ),
    parity(
      `options: fieldValidation=${mode || 'nothing'} JSON patch`,
      there,
      jsonPatch(`${SAMPLE}?fieldValidation=${mode}`, [
        { op: 'add', path: '/spec/zip', value: 1, why: 'x' },
        { op: 'add', path: '/metadata/zap', value: 1 },
      ]),
      get(SAMPLE),
    ),
    parity(
      `options: fieldValidation=${mode || 'nothing'} YAML`,
      post(
        `${SAMPLES}?fieldValidation=${mode}`,
        'apiVersion: $R/v1\nkind: Sample\nmetadata:\n  name: $NAME\nspec:\n  text: a\n  text: b\n  zip: 1\n',
        { 'Content-Type': 'application/yaml' },
      ),
      get(SAMPLE),
    ),
    parity(
      `options: fieldValidation=${mode || 'nothing'} status update`,
      there,
      put(
        `${SAMPLE}/status?fieldValidation=${mode}`,
        sample({ resourceVersion: '${x.rv}' }, {}, { status: { phase: 'Running', zip: 1 } }),
      ),
      get(SAMPLE),
    ),
    parity(
      `options: fieldValidation=${mode || 'nothing'} scale patch`,
      there,
      merge(`${SAMPLE}/scale?fieldValidation=${mode}`, { spec: { replicas: 3, zip: 1 } }),
      get(SAMPLE),
    ),
    parity(
      `options: fieldValidation=${mode || 'nothing'} scale update`,
      there,
      put(`${SAMPLE}/scale?fieldValidation=${mode}`, scale({}, { replicas: 3, zip: 1 })),
    ),
    parity(`options: fieldValidation=${mode || 'nothing'} delete`, there, remove(`${SAMPLE}?fieldValidation=${mode}`)),
  ]),
  parity(
    'options: duplicate keys deep down',
    post(
      `${SAMPLES}?dryRun=All`,
      '{"apiVersion":"$R/v1","kind":"Sample","kind":"Sample","metadata":{"name":"$NAME"},"spec":{"map":{"a":"1","b":"2","a":"3"},"objects":[{"a":"x"},{"a":"x","a":"y"}],"matrix":[[1,2]]}}',
    ),
  ),
  parity(
    'options: case of fields matters',
    post(
      `${SAMPLES}?dryRun=All`,
      '{"apiVersion":"$R/v1","Kind":"Sample","kind":"Sample","metadata":{"Name":"x","name":"$NAME"},"Spec":{},"spec":{"Text":"a"}}',
    ),
  ),
  parity(
    'options: warnings with quotes and backslashes',
    post(`${SAMPLES}?dryRun=All`, sample({}, { 'a"b': 1, 'c\\d': 2, 'e\u00e9': 3, 'f\n': 4, 'g.h': 5 })),
  ),
  parity(
    'options: more warnings than a header may have',
    post(
      `${SAMPLES}?dryRun=All`,
      sample(
        {},
        Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`unknown${String(i).padStart(4, '0')}`, 1])),
      ),
    ),
  ),
  parity(
    'options: long names in warnings',
    post(
      `${SAMPLES}?dryRun=All`,
      sample(
        {},
        Object.fromEntries(Array.from({ length: 20 }, (_, i) => [String(i).padStart(2, '0') + 'x'.repeat(400), 1])),
      ),
    ),
  ),
  parity(
    'options: strict with more findings than are shown',
    post(
      `${SAMPLES}?fieldValidation=Strict`,
      sample(
        {},
        Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`unknown${String(i).padStart(4, '0')}`, 1])),
      ),
    ),
  ),
  parity(
    'options: duplicates without end',
    post(
      `${SAMPLES}?dryRun=All`,
      `{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME"},"spec":{${Array.from({ length: 150 }, (_, i) => `"k${i}":1,"k${i}":2`).join(',')}}}`,
    ),
  ),
  ...['true', 'false', '1', '0', 'x', '', 'yes'].flatMap((value) => [
    parity(
      `options: force=${value || 'nothing'} with a merge patch`,
      there,
      merge(`${SAMPLE}?force=${value}`, { spec: { text: 'new' } }),
    ),
    parity(
      `options: force=${value || 'nothing'} with apply`,
      there,
      apply(`${SAMPLE}?fieldManager=m&force=${value}`, sample({}, { text: 'new' })),
    ),
  ]),
  parity('options: force at create', post(`${SAMPLES}?force=true`, sample())),
  parity('options: two field managers', post(`${SAMPLES}?fieldManager=a&fieldManager=b`, sample())),
  parity('options: an empty field manager', post(`${SAMPLES}?fieldManager=`, sample())),
  parity('options: a field manager outside ASCII', post(`${SAMPLES}?fieldManager=m%C3%A4nager`, sample())),
  parity(
    'options: a user agent becomes the field manager',
    post(SAMPLES, sample(), { 'User-Agent': 'kubectl/v1.36.3 (linux/amd64) kubernetes/abc' }),
  ),
  parity(
    'options: a long user agent becomes the field manager',
    post(SAMPLES, sample(), { 'User-Agent': 'u'.repeat(200) }),
  ),
  parity('options: a user agent that cannot be printed', post(SAMPLES, sample(), { 'User-Agent': 'a\u0080b/1' })),
  parity('options: no user agent for the field manager', post(SAMPLES, sample(), { 'User-Agent': null })),
  parity(
    'options: dry run of a delete with finalizers',
    setup(post(SAMPLES, sample({ finalizers: ['a.b/c'] }))),
    remove(`${SAMPLE}?dryRun=All`),
    get(SAMPLE),
  ),
  parity(
    'options: dry run of the end of the last finalizer',
    setup(post(SAMPLES, sample({ finalizers: ['a.b/c'] }))),
    setup(remove(SAMPLE)),
    merge(`${SAMPLE}?dryRun=All`, { metadata: { finalizers: null } }),
    get(SAMPLE),
  ),
  parityIn(
    'options: dry run of deletecollection',
    setup(post(SAMPLES, sample())),
    remove(`${SAMPLES}?dryRun=All`),
    get(SAMPLE),
  ),
  parity(
    'options: dry run of generateName',
    post(`${SAMPLES}?dryRun=All`, sample({ name: undefined, generateName: 'gen-' })),
  ),
  parity(
    'options: dry run of status',
    there,
    merge(`${SAMPLE}/status?dryRun=All`, { status: { phase: 'Running' } }),
    get(SAMPLE),
  ),
  parity(
    'options: dry run of scale',
    there,
    merge(`${SAMPLE}/scale?dryRun=All`, { spec: { replicas: 9 } }),
    get(SAMPLE),
  ),
  parity(
    'options: dry run of apply that creates',
    apply(`${SAMPLE}?fieldManager=m&dryRun=All`, sample({}, { text: 'a' })),
    get(SAMPLE),
  ),
  parity('options: dry run of what is invalid', post(`${SAMPLES}?dryRun=All`, sample({}, { size: 1000 }))),
  parity('options: dry run in the body of a delete', there, remove(SAMPLE, { dryRun: ['All'] }), get(SAMPLE)),
  parity(
    'options: an unknown dry run in the body of a delete',
    there,
    remove(SAMPLE, { dryRun: ['Some'] }),
    get(SAMPLE),
  ),
  parity('options: dry run of a tenant', post(`${TENANTS}?dryRun=All`, tenant()), get(TENANT)),
  parity(
    'options: several faults at once',
    post(`${SAMPLES}?dryRun=Foo&fieldValidation=Bar&fieldManager=${'x'.repeat(200)}`, sample()),
  ),
  parity(
    'options: several faults of a patch at once',
    there,
    merge(`${SAMPLE}?dryRun=Foo&fieldValidation=Bar&force=true`, {}),
  ),
  parity(
    'options: strict for a kind without subresources',
    post(`${PLAINS}?fieldValidation=Strict`, plain({}, { zip: 1 })),
    post(`${PLAINS}?fieldValidation=Strict`, plain({}, { note: 'a', status: { b: 'c' } })),
    get(PLAIN),
  ),
  ...['1s', '0', '0s', '-1s', 'x', '1', '', '100h', '34s', '1.5s'].map((value) =>
    parity(`options: timeout=${value || 'nothing'}`, get(`${SAMPLES}?timeout=${value}&labelSelector=a%3Dnone`)),
  ),
  ...['1s', 'x', ''].map((value) =>
    parity(`options: timeout=${value || 'nothing'} of a create`, post(`${SAMPLES}?timeout=${value}`, sample())),
  ),
];
