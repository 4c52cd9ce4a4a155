/** Where ours means to answer something else than kube-apiserver does for a custom resource. */
export interface DeliberateDifference {
  readonly reason: string;
  readonly where: readonly {
    /**
     * What differs, as the suite prints it, or what everything that differs is below of; in every one of the cases. A number is that of
     * the compared answer.
     */
    readonly paths: readonly string[];
    readonly cases: readonly string[];
  }[];
}

/** What may differ in the answers of a case. */
export function deliberatePaths(name: string): readonly string[] {
  return deliberateDifferences.flatMap(({ where }) =>
    where.filter(({ cases }) => cases.includes(name)).flatMap(({ paths }) => paths),
  );
}

/** Words that ours leaves out or replaces wherever they are part of an answer. */
export interface DeliberateWording {
  readonly reason: string;
  readonly twin: string;
  readonly ours: string;
}

export const deliberateWordings: readonly DeliberateWording[] = [
  {
    reason: 'No protobuf is spoken: an aggregated group never has to, and its clients take JSON.',
    twin: ', application/vnd.kubernetes.protobuf',
    ours: '',
  },
  {
    reason: 'The address of a variable in the source of kube-apiserver tells a client nothing.',
    twin: ' in scheme "pkg/runtime/scheme.go:111"',
    ours: '',
  },
];

export const deliberateDifferences: readonly DeliberateDifference[] = [
  {
    reason: 'A number in another notation is the same number: nothing has changed, and the generation does not either.',
    where: [
      {
        paths: ['0.body.metadata.generation', '1.body.metadata.generation'],
        cases: ['numbers: the same in another notation changes nothing'],
      },
    ],
  },
  {
    reason:
      'A path or a method that is not in the discovery document gets a Status that a client can read, as from every typed API; kube-apiserver answers plain text, or takes the request for another one.',
    where: [
      {
        paths: ['0.body', '0.code', '0.form', '0.headers.content-type', '0.headers.x-content-type-options'],
        cases: [
          'verbs: PATCH of a collection over all namespaces',
          'verbs: PUT to a collection over all namespaces',
          'verbs: POST without a namespace',
          'verbs: DELETE of a collection over all namespaces',
        ],
      },
      {
        paths: ['0.body', '0.code'],
        cases: [
          'verbs: PATCH of a collection',
          'verbs: POST to an item',
          'verbs: PUT to a collection',
          'verbs: POST to an item that exists',
          'verbs: a path far below a subresource',
          'verbs: a path below a subresource',
          'verbs: POST to the version',
          'verbs: DELETE of the version',
          'apply: to a collection',
        ],
      },
      {
        paths: ['0.body', '0.form', '0.headers.content-type', '0.headers.x-content-type-options'],
        cases: [
          'verbs: an unknown resource',
          'verbs: POST to an unknown resource',
          'verbs: an unknown resource over all namespaces',
          'verbs: an unknown resource with a name',
          'verbs: DELETE of an unknown resource',
          'verbs: two slashes',
          'verbs: the singular',
          'verbs: POST of a cluster resource in a namespace',
          'verbs: a cluster resource in a namespace',
          'verbs: a cluster item in a namespace',
          'verbs: DELETE of a namespaced item without its namespace',
          'verbs: a namespaced item without its namespace',
          'verbs: the kind',
          'verbs: the short name',
        ],
      },
      { paths: ['0.body', '0.code', '0.form'], cases: ['verbs: watch in a path, of a collection'] },
    ],
  },
  {
    reason:
      'No protobuf is spoken: an aggregated group never has to, and its clients take JSON. To protobuf in a body kube-apiserver hangs up without an answer.',
    where: [
      {
        paths: ['0.body', '0.form', '0.headers.content-type'],
        cases: [
          'negotiation: item, accept protobuf',
          'negotiation: list, accept protobuf',
          'negotiation: create, accept protobuf',
        ],
      },
      {
        paths: ['0.body', '0.code', '0.form', '0.headers.cache-control', '0.headers.content-type'],
        cases: ['negotiation: create with type protobuf'],
      },
      { paths: ['0.frames'], cases: ['watch: accept YAML'] },
      { paths: ['0.frames', '0.headers.content-type'], cases: ['watch: accept protobuf'] },
    ],
  },
  {
    reason: 'What cannot be had is 406 here; kube-apiserver answers 500, or opens a watch without a single event.',
    where: [
      { paths: ['0.body', '0.code'], cases: ['negotiation: item, accept the metadata of a list'] },
      {
        paths: ['0.body', '0.code', '1.body', '1.code', '1.form'],
        cases: ['negotiation: create, accept the metadata of a list'],
      },
      { paths: ['0.code', '0.frames'], cases: ['watch: accept the metadata of a list'] },
    ],
  },
  {
    reason: 'The name of the media type is told once.',
    where: [{ paths: ['0.frames.5'], cases: ['watch: accept the metadata as YAML'] }],
  },
  {
    reason: 'Headers given twice are one list (RFC 9110, 5.3); kube-apiserver reads the first only.',
    where: [{ paths: ['0.body', '0.code', '0.form'], cases: ['negotiation: Accept twice'] }],
  },
  {
    reason:
      'A resourceVersion that is none, or where none may be, is the mistake of the client: 400 or 422, and not 500.',
    where: [
      { paths: ['0.body.code', '0.body.reason', '0.code'], cases: ['create: a resourceVersion'] },
      {
        paths: ['0.body', '0.code'],
        cases: [
          'update: with a resourceVersion that is no number',
          'merge patch: with a resourceVersion that is no number',
          'get: version -1',
          'get: version 99999999999999999999999',
          'get: version abc',
          'watch: with a resourceVersion that is no number',
          'watch: with a negative resourceVersion',
        ],
      },
    ],
  },
  {
    reason:
      'An applied object that does not fit its schema is the mistake of the client: 400, and not 500 without a reason. The message is the same.',
    where: [
      {
        paths: ['0.body.code', '0.body.reason', '0.code'],
        cases: [
          'options: fieldValidation=Ignore apply',
          'options: fieldValidation=Warn apply',
          'options: fieldValidation=Strict apply',
          'options: fieldValidation=nothing apply',
          'apply: the same key twice',
          'apply: the same key twice by default',
          'apply: a key that is missing',
          'apply: the same twice in a set',
          'apply: null in a set',
          'apply: with an unknown field',
          'apply: with an unknown field deep down',
          'apply: with an unknown field of an item',
          'apply: with a wrong type',
          'apply: with an object for a list',
          'apply: with a list for an object',
          'apply: with a string for an object',
          'apply: with a wrong label',
          'apply: with prototypes',
        ],
      },
    ],
  },
  {
    reason: 'A patch that takes the apiVersion away is the mistake of the client: 422, and not 500.',
    where: [{ paths: ['0.body', '0.code'], cases: ['merge patch: of the apiVersion to null'] }],
  },
  {
    reason:
      'An object of another kind is refused at the status endpoint as it is elsewhere; kube-apiserver stores it as if it were of the right one.',
    where: [{ paths: ['0.body', '0.code'], cases: ['update: status of another kind'] }],
  },
  {
    reason:
      'Where kube-apiserver quotes an error of its storage, with the key in etcd, only the sentence of it that a client can use is told.',
    where: [{ paths: ['0.body.message'], cases: ['update: with another uid', 'scale: update with another uid'] }],
  },
  {
    reason: 'The words of another YAML parser; the code, the reason and the line are the same.',
    where: [
      {
        paths: ['0.body.message'],
        cases: ['create: as YAML with tabs', 'apply: with what is cut off', 'apply: with broken YAML'],
      },
    ],
  },
  {
    reason:
      'A body that was compressed on the way from our server to kube-apiserver, which undid it and left the header.',
    where: [
      {
        paths: ['0.headers.vary'],
        cases: [
          'create: annotations of just 256 KiB',
          'limits: an object of 1 MiB',
          'limits: a large answer is not compressed unasked',
          'limits: 10000 labels',
        ],
      },
    ],
  },
  {
    reason: 'Server-side apply works at the scale endpoint; kube-apiserver answers 500 for a custom resource.',
    where: [{ paths: ['0.body', '0.code', '1.body'], cases: ['apply: scale'] }],
  },
  {
    reason: 'What is wrong with a Scale is said; kube-apiserver says that its own scheme does not know the type.',
    where: [
      {
        paths: ['0.body.message'],
        cases: [
          'options: fieldValidation=Strict scale update',
          'scale: update beyond 32 bits',
          'scale: update to a fraction',
          'scale: update to a word',
          'scale: update of another kind',
          'scale: update of another version',
          'scale: update that is empty',
          'scale: update that is cut off',
          'scale: update strict',
        ],
      },
    ],
  },
  {
    reason: 'A Scale that a message repeats has its keys in alphabetical order.',
    where: [
      {
        paths: ['0.body.details.causes.0.message'],
        cases: [
          'options: fieldValidation=Strict scale patch',
          'scale: patch to a word',
          'scale: patch of the kind',
          'scale: patch strict',
        ],
      },
    ],
  },
  {
    reason: 'Who has set the replicas is tracked also when the Scale did not say of which version it is.',
    where: [
      {
        paths: ['1.body.metadata.managedFields.1', '1.body.metadata.managedFields.length'],
        cases: ['scale: update of no kind'],
      },
    ],
  },
  {
    reason:
      'An integer beyond 2^53 that a double cannot hold is refused: objects are kept as JSON of doubles, and none is changed without a word. No field of ours has a use for one.',
    where: [
      {
        paths: ['0.body', '0.code', '1.body', '1.code'],
        cases: [
          'numbers: 123456789012345678 as number',
          'numbers: 123456789012345678 anywhere',
          'numbers: 2 to 53 and one as integer',
          'numbers: 2 to 53 and one as number',
          'numbers: 2 to 53 and one anywhere',
          'numbers: 123456789012345678 as integer',
          'numbers: largest int64 as integer',
          'numbers: largest int64 as number',
          'numbers: largest int64 anywhere',
          'numbers: smallest int64 anywhere',
          'numbers: smallest int64 as integer',
          'numbers: smallest int64 as number',
        ],
      },
    ],
  },
  {
    reason:
      'Causes about a field `<nil>`, and about the schemas that stand for int-or-string inside kube-apiserver, repeat the one that names the field.',
    where: [
      {
        paths: ['0.body'],
        cases: [
          'schema: an integer that is a fraction',
          'schema: beyond int32',
          'schema: an int or string that is a fraction',
          'schema: an int or string that is true',
          'numbers: 1e-7 anywhere',
          'numbers: 1.10 as integer',
          'numbers: 1e-7 as integer',
          'numbers: 1.10 anywhere',
          'numbers: 1e20 anywhere',
          'numbers: 1e21 as integer',
          'numbers: 1e20 as integer',
          'numbers: one beyond int64 anywhere',
          'numbers: one beyond int64 as integer',
          'numbers: 1e300 anywhere',
          'numbers: 1e300 as integer',
          'numbers: 1e21 anywhere',
          'numbers: many digits as integer',
          'numbers: a long integer as integer',
          'numbers: many digits anywhere',
          'numbers: a long integer anywhere',
          'numbers: 0.1 as integer',
          'numbers: 5e-324 as integer',
          'numbers: 0.1 anywhere',
          'numbers: 100000000000000000000.5 as integer',
          'numbers: 5e-324 anywhere',
          'numbers: 100000000000000000000.5 anywhere',
        ],
      },
    ],
  },
  {
    reason: 'What should have been base64 may be a credential, and is not repeated.',
    where: [{ paths: ['0.body.details.causes.0.message'], cases: ['schema: broken bytes'] }],
  },
  {
    reason: 'Our history goes back to the beginning here, while the cache of kube-apiserver began later.',
    where: [{ paths: ['0.ended', '0.frames'], cases: ['watch: from version 1'] }],
  },
];
