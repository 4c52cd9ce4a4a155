import type { SeededRandom } from '../../src/base/testing/seeded-random.ts';

/** Requests that no decent client sends, a different one each time. */
export interface HostileRequest {
  readonly method: string;
  readonly target: string;
  /** Raw lines, without the ends of lines. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Tells of more bytes than come, and then says that nothing more comes. */
  readonly truncated: boolean;
}

export const NAMESPACE = 'fuzz';
const root = '/apis/kamaji.io/v1alpha1';
const tenants = `${root}/namespaces/${NAMESPACE}/tenantcontrolplanes`;

const collections = [`${root}/datastores`, `${root}/kubeconfiggenerators`, tenants, `${root}/tenantcontrolplanes`];
const parts = ['', '/status', '/scale', '/kubeconfig', '/join-token', '/nothing', '/status/more'];
const names = [
  'fuzz',
  'kept',
  'nobody',
  'UPPER',
  '..',
  '%2e%2e',
  'a%2Fb',
  '%00',
  '%ff',
  'x'.repeat(300),
  '%F0%9F%98%80',
  '__proto__',
  'constructor',
  '*',
  '~',
];
const methods = ['GET', 'GET', 'POST', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND'];
const bodyTypes = [
  'application/json',
  'application/yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
  'application/strategic-merge-patch+json',
  'application/vnd.kubernetes.protobuf',
  'application/cbor',
  'application/apply-patch+cbor',
  'text/plain',
  'application/json; charset=utf-16',
  'APPLICATION/JSON',
  'application/json, application/yaml',
  ';',
  '/',
];

/** An object that would be stored as it is, when kind and name are given. */
function object(random: SeededRandom, of?: { readonly kind: string; readonly name: string }): Record<string, unknown> {
  const kind =
    of?.kind ??
    random.pick(['DataStore', 'KubeconfigGenerator', 'TenantControlPlane', 'DeleteOptions', 'Scale', 'List', '']);
  const version = kind === 'Scale' ? 'autoscaling/v1' : 'kamaji.io/v1alpha1';
  return {
    apiVersion:
      of === undefined ? random.pick(['kamaji.io/v1alpha1', 'autoscaling/v1', 'v1', 'kamaji.io/v9', '']) : version,
    kind,
    metadata: {
      name: of?.name ?? random.pick(['fuzz', 'kept', `new-${random.below(50)}`]),
      labels: { a: 'b', [`k${random.below(3)}`]: 'v' },
      annotations: { note: 'x' },
      finalizers: ['kamaji.io/fuzz'],
    },
    spec: specs[kind] ?? { driver: 'etcd', replicas: 1 },
    status: {
      conditions: [
        { type: 'Ready', status: 'True', reason: 'A', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    },
  };
}

const content = { certificate: { content: 'YQ==' }, privateKey: { content: 'YQ==' } };
export const specs: Readonly<Record<string, object>> = {
  DataStore: {
    driver: 'etcd',
    endpoints: ['127.0.0.1:2379'],
    tlsConfig: { certificateAuthority: content, clientCertificate: content },
  },
  TenantControlPlane: {
    dataStore: 'fuzz',
    kubernetes: { version: 'v1.36.3', kubelet: {} },
    controlPlane: {
      deployment: { replicas: 1, tolerations: [{ key: 'a' }], additionalMetadata: { labels: { a: 'b' } } },
      service: { serviceType: 'ClusterIP' },
    },
    networkProfile: { port: 6443, certSANs: ['a.example'] },
    addons: { coreDNS: {} },
  },
  Scale: { replicas: 2 },
};

/** Values for any place of a body; as source text, because JSON.stringify could not write most of them. */
const values: readonly ((random: SeededRandom) => string)[] = [
  () => 'null',
  () => 'true',
  () => '0',
  () => '-0',
  () => '1e400',
  () => '1e-400',
  () => '9007199254740993',
  () => '9223372036854775808',
  () => '-9223372036854775809',
  () => '1'.repeat(5_000),
  () => '0.1e1',
  () => '1.5',
  () => '""',
  () => '"\\u0000"',
  () => '"\\ud800"',
  () => '"\\uFFFF\\u202E"',
  () => `"${'x'.repeat(70_000)}"`,
  () => '[]',
  () => '{}',
  () => '[[[[[[]]]]]]',
  () => '{"__proto__":{"polluted":true}}',
  () => '{"constructor":{"prototype":{"polluted":true}}}',
  () => '{"toString":1,"valueOf":2,"hasOwnProperty":3}',
  () => '{"":{"":""}}',
  () => '{"a":1,"a":2,"a":3}',
  () => `[${'null,'.repeat(2_000)}null]`,
  (random) => '['.repeat(random.below(20_000)),
  (random) => `${'{"a":'.repeat(1 + random.below(12_000))}1${'}'.repeat(random.below(12_000))}`,
  () => 'NaN',
  () => 'Infinity',
  () => '0x10',
  () => '01',
  () => '+1',
  () => "'single'",
  () => '/* comment */ 1',
  () => 'undefined',
];

/** An object with some of its places replaced. */
function mutatedJson(random: SeededRandom, of?: { readonly kind: string; readonly name: string }): string {
  let text = JSON.stringify(object(random, of));
  for (let count = random.below(3); count > 0; count--) {
    const places = [...text.matchAll(/:("[^"]*"|\d+|\{\}|\[[^[\]{}]*\])/g)];
    if (places.length === 0) break;
    const place = random.pick(places);
    const value = random.pick(values)(random);
    text = `${text.slice(0, place.index + 1)}${value}${text.slice(place.index + place[0].length)}`;
  }
  if (random.chance(0.15))
    text = text.replace(
      '{',
      `{"${random.pick(['__proto__', 'constructor', 'metadata', 'kind', 'x'.repeat(5_000)])}":${random.pick(values)(random)},`,
    );
  return text;
}

const yamls: readonly string[] = [
  'a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f]\n',
  'a: &a\n  b: *a\n',
  '<<: &x {a: 1}\n<<: *x\n',
  '!!js/function "function(){}"\n',
  '!!binary aGVsbG8=\n',
  '!<tag:yaml.org,2002:python/object/apply:os.system> [id]\n',
  '--- \n---\n...\n---\nkind: DataStore\n',
  '%YAML 9.9\n---\na: 1\n',
  '? {a: b}\n: c\n',
  '? [1, 2]\n: c\n',
  'a:\tb\n',
  '\u0000',
  '- '.repeat(5_000),
  '['.repeat(10_000),
  'a: "\\xff\\U0010FFFF"\n',
  'kind: DataStore\nkind: DataStore\napiVersion: kamaji.io/v1alpha1\n',
  'apiVersion: kamaji.io/v1alpha1\nkind: DataStore\nmetadata: {name: fuzz}\nspec: {driver: yes, endpoints: [0o17, 1_000, 12:30:45]}\n',
  '__proto__: {polluted: true}\n',
  'a: |\n' + '  x\n'.repeat(5_000),
  '# only a comment\n',
  '@`',
];

function patchOperations(random: SeededRandom): string {
  const path = (): string =>
    JSON.stringify(
      random.pick([
        '',
        '/',
        '/spec',
        '/spec/endpoints/-',
        '/spec/endpoints/99999999999',
        '/metadata/name',
        '/metadata/labels/a~1b',
        '/a~2b',
        '/__proto__/polluted',
        '/constructor/prototype/polluted',
        '/spec/endpoints/-1',
        '/spec/endpoints/01',
        '/metadata/managedFields',
        '/status',
        'no-slash',
        '/metadata/resourceVersion',
        '/kind',
        `/${'a/'.repeat(3_000)}`,
      ]),
    );
  const operations = Array.from({ length: random.pick([0, 1, 1, 2, 5, 40]) }, () => {
    const op = random.pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'nothing', '']);
    return `{"op":${JSON.stringify(op)},"path":${path()},"from":${path()},"value":${random.pick(values)(random)}}`;
  });
  if (random.chance(0.02)) return `[${'{"op":"test","path":"/kind","value":"x"},'.repeat(10_001)}{}]`;
  return random.chance(0.1) ? operations.join(',') : `[${operations.join(',')}]`;
}

function spoiled(random: SeededRandom, body: Buffer): Buffer {
  const choice = random.below(12);
  if (choice === 0) return body.subarray(0, random.below(body.length + 1));
  if (choice === 1) return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]);
  if (choice === 2) return Buffer.from(body.toString('utf8'), 'utf16le');
  if (choice === 3) return Buffer.concat([body, Buffer.from('\n{}')]);
  if (choice === 4 && body.length > 0) {
    const bytes = Buffer.from(body);
    for (let count = 1 + random.below(20); count > 0; count--) bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  }
  return body;
}

function body(random: SeededRandom): Buffer {
  const kind = random.below(10);
  if (kind === 0) return Buffer.alloc(0);
  const text = kind <= 2 ? patchOperations(random) : kind === 3 ? random.pick(yamls) : mutatedJson(random);
  return spoiled(random, Buffer.from(text));
}

const accepts = [
  'application/json',
  '*/*',
  'application/yaml',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/json;as=Table;v=v9;g=x',
  'application/json;as=;v=;g=',
  'application/vnd.kubernetes.protobuf',
  ',,,;;;===',
  '*',
  '*/json',
  'application/*;q=nonsense',
  'application/json;q=1e999',
  'text/html;q=-1',
  'a/b,'.repeat(2_000),
  `application/json;${'x=y;'.repeat(2_000)}`,
  'application/json;stream=watch',
  '"',
  '\u00ff\u00fe',
];
const otherHeaders = [
  'Accept-Encoding: gzip',
  'Accept-Encoding: gzip;q=0, *;q=1, br',
  'If-None-Match: *',
  'If-None-Match: "',
  'User-Agent: ',
  `User-Agent: ${'u'.repeat(20_000)}`,
  'User-Agent: \u00ff\u00fe/\u0001',
  'User-Agent: Mozilla/5.0',
  'X-Remote-User: system:masters',
  'X-Remote-Group: system:masters',
  'Impersonate-User: root',
  'Authorization: Bearer ',
  'Authorization: Basic eDp5',
  'Audit-ID: \u00e4\u00f6\u00fc',
  `Audit-ID: ${'a'.repeat(5_000)}`,
  'Cookie: a=b; c=d',
  'Range: bytes=0-1',
  'Content-Encoding: gzip',
  'X-HTTP-Method-Override: DELETE',
  'Traceparent: 00-zz-zz-zz',
  'Expect: something',
];

const numbers = [
  '0',
  '1',
  '-1',
  '500',
  '9223372036854775807',
  '9223372036854775808',
  '1e3',
  '0x10',
  ' 1',
  '\u0661',
  '',
];
const versions = ['', '0', '1', '-1', '01', '18446744073709551615', '99999999999999999999', 'abc', '1.5', '\u0000'];
const selectors = [
  'a=b',
  'a',
  '!a',
  'a in (b,c)',
  'a in (',
  'a notin ()',
  ',,,',
  '=',
  '==',
  '!=',
  'a=b=c',
  'metadata.name=fuzz',
  'metadata.name!=x,metadata.namespace=fuzz',
  'status.phase=x',
  'a\\=b=c',
  '__proto__=x',
  `${'a=b,'.repeat(3_000)}c=d`,
  '('.repeat(5_000),
  `a in (${'x,'.repeat(4_000)}y)`,
  'a'.repeat(300),
  '\ud83d\ude00=b',
  'a>1',
  'a<x',
];

function continueToken(random: SeededRandom): string {
  const encode = (value: unknown): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  return random.pick([
    '',
    'x',
    '!!!',
    encode(''),
    encode('null'),
    encode('[]'),
    encode({}),
    encode({ v: 'meta.k8s.io/v1', rv: -1, start: '' }),
    encode({ v: 'meta.k8s.io/v1', rv: 1e300, start: 'a' }),
    encode({ v: 'meta.k8s.io/v1', rv: 1, start: '../../..' }),
    encode({ v: 'meta.k8s.io/v1', rv: 5, start: '\u0000' }),
    encode({ v: 'meta.k8s.io/v9', rv: 5, start: 'a' }),
    encode({ v: 'meta.k8s.io/v1', rv: '5', start: 7 }),
    encode('{"v":"meta.k8s.io/v1","rv":5,"start":"a"'),
    encode({ v: 'meta.k8s.io/v1', rv: 5, start: 'x'.repeat(10_000) }),
  ]);
}

function query(random: SeededRandom): string {
  const pairs = Array.from({ length: random.below(5) }, (): readonly [string, string] => {
    const truth = random.pick(['true', 'false', '1', '0', '', 'T', 'maybe', '\u0000']);
    return random.pick<readonly [string, string]>([
      ['dryRun', random.pick(['All', 'all', '', 'None', 'x'.repeat(500)])],
      ['fieldManager', random.pick(['', 'a', 'x'.repeat(129), '\u0001', '\ud83d\ude00', 'kubectl'])],
      ['fieldValidation', random.pick(['Strict', 'Warn', 'Ignore', 'strict', ''])],
      ['force', truth],
      ['pretty', truth],
      ['limit', random.pick(numbers)],
      ['continue', continueToken(random)],
      ['resourceVersion', random.pick(versions.filter((version) => version !== '18446744073709551615'))],
      ['resourceVersionMatch', random.pick(['Exact', 'NotOlderThan', 'exact', ''])],
      ['labelSelector', random.pick(selectors)],
      ['fieldSelector', random.pick(selectors)],
      ['timeout', random.pick(['1s', '0s', '-1s', '1ms', '9999h', 'abc', '1', 's', '1e9s', '5s5s', ''])],
      ['timeoutSeconds', random.pick(numbers)],
      ['includeObject', random.pick(['None', 'Metadata', 'Object', 'All', ''])],
      ['gracePeriodSeconds', random.pick(numbers)],
      ['propagationPolicy', random.pick(['Background', 'Foreground', 'Orphan', 'x', ''])],
      ['orphanDependents', truth],
      ['sendInitialEvents', truth],
      ['allowWatchBookmarks', truth],
      ['__proto__', 'x'],
      ['x'.repeat(2_000), 'y'],
    ]);
  });
  const text = pairs
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value.toWellFormed())}`)
    .join('&');
  const odd = random.below(20);
  if (odd === 0) return `?${text}&%`;
  if (odd === 1) return `?${text}&%zz=%ff%fe&&&==`;
  if (odd === 2) return `?${'&'.repeat(3_000)}`;
  return text === '' ? '' : `?${text}`;
}

function target(random: SeededRandom): string {
  const odd = random.below(25);
  if (odd === 0)
    return (
      random.pick([
        '/',
        '//',
        '/..',
        '/apis/../../etc/passwd',
        `/${'a/'.repeat(5_000)}`,
        '/%',
        '/%zz',
        '/apis/kamaji.io/v1alpha1//datastores',
        '/apis/kamaji.io/v1alpha1/watch/datastores',
        '/openapi/v2',
        '/openapi/v3/apis/kamaji.io/v1alpha1',
        '/apis',
        '/version',
        '/metrics',
        '/readyz?verbose',
        '/healthz/nothing',
        '/apis/kamaji.io/v1alpha1/namespaces//tenantcontrolplanes',
        '/apis/__proto__/constructor/toString',
        '*',
      ]) + query(random)
    );
  const collection = random.pick(collections);
  const place = random.chance(0.35)
    ? collection
    : `${collection}/${random.chance(0.7) ? random.pick(['fuzz', 'kept']) : random.pick(names)}${random.pick(parts)}`;
  return place + query(random);
}

/** Nothing fits anything. */
function wild(random: SeededRandom): HostileRequest {
  const method = random.pick(methods);
  const hasBody = !['GET', 'HEAD', 'OPTIONS'].includes(method) || random.chance(0.05);
  return {
    method,
    target: target(random),
    headers: [
      ...(random.chance(0.7) ? [`Accept: ${random.pick(accepts)}`] : []),
      ...(hasBody && random.chance(0.9) ? [`Content-Type: ${random.pick(bodyTypes)}`] : []),
      ...(random.chance(0.2) ? [random.pick(otherHeaders)] : []),
    ],
    body: hasBody ? body(random) : Buffer.alloc(0),
    truncated: hasBody && random.chance(0.01),
  };
}

const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
] as const;

/** Method, path, type and body fit, so that it comes as far as a body can; what is odd is in the body or the query. */
function aimed(random: SeededRandom): HostileRequest {
  const kind = random.pick(['DataStore', 'TenantControlPlane'] as const);
  const collection = kind === 'DataStore' ? `${root}/datastores` : tenants;
  const name = random.pick(['fuzz', 'kept', `new-${random.below(20)}`]);
  const part = random.pick(['', '', '', '/status', ...(kind === 'DataStore' ? [] : ['/scale'])]);
  const method = random.pick(['POST', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'DELETE']);
  const options = random.chance(0.3) ? query(random).replace(/[?&]timeout=[^&]*/, '') : '';
  const type = method === 'PATCH' ? random.pick(patchTypes) : random.pick(['application/json', 'application/yaml']);
  const needsManager = type === 'application/apply-patch+yaml' && !options.includes('fieldManager');
  const manager = needsManager ? `${options.includes('?') ? '&' : '?'}fieldManager=fuzz&force=true` : '';
  const text =
    type === 'application/json-patch+json'
      ? patchOperations(random)
      : method === 'DELETE'
        ? random.pick(['', '{}', mutatedJson(random)])
        : mutatedJson(random, { kind: part === '/scale' ? 'Scale' : kind, name });
  return {
    method,
    target: `${collection}${method === 'POST' ? '' : `/${name}${method === 'DELETE' ? '' : part}`}${options}${manager}`,
    headers: [`Content-Type: ${type}`],
    body: Buffer.from(text),
    truncated: false,
  };
}

export function hostileRequest(random: SeededRandom): HostileRequest {
  return random.chance(0.5) ? wild(random) : aimed(random);
}

/** The bytes of a request. */
export function toBytes(request: HostileRequest): Buffer {
  const length = request.body.length + (request.truncated ? 100 : 0);
  const head = [
    `${request.method} ${request.target} HTTP/1.1`,
    'Host: kamaji',
    ...request.headers,
    `Content-Length: ${length}`,
    '',
    '',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), request.body]);
}
