import { applied, command, listOf, type Flow, type Side } from './flow.ts';

const changed = (name: string, side: Side): string => side.tenant(name, { metadata: { labels: { team: 'blue' } } });
const first = (name: string, side: Side): string =>
  side.tenant(name, {
    metadata: { labels: { team: 'red', goes: 'away' } },
    deployment: { runtimeClassName: 'somebody' },
  });
const wrongType = { deployment: { runtimeClassName: 3 } };
const patch = ({ resource }: Side, name: string, type: string, body: unknown, ...more: readonly string[]) => ({
  args: ['patch', resource, name, `--type=${type}`, '-p', JSON.stringify(body), ...more],
});
const CONDITION = {
  status: {
    conditions: [
      { type: 'Ready', status: 'True', reason: 'Tested', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ],
  },
};

export const WRITE_FLOWS: readonly Flow[] = [
  {
    name: 'create: once, twice, with a dry run, with generateName',
    steps: (side) => [
      applied(side.tenant('made'), 'create -f -'),
      { ...applied(side.tenant('made'), 'create -f -'), code: 1, says: /AlreadyExists/ },
      applied(side.tenant('dry'), 'create -f - --dry-run=server -o yaml'),
      applied(side.tenant('dry'), 'create -f - --dry-run=client -o name'),
      applied(side.tenant('saved'), 'create -f - --save-config'),
      command(`apply view-last-applied ${side.resource} saved`),
      applied(
        side.tenant('', { metadata: { name: undefined, generateName: 'made-', labels: { generated: 'yes' } } }),
        'create -f - -o jsonpath={.metadata.generateName}',
      ),
      command(`get ${side.resource} -l generated=yes -o jsonpath={.items[*].metadata.generateName}`, {
        says: /^made-$/,
      }),
    ],
  },
  {
    name: 'create: what is wrong with an object, in every way of --validate',
    steps: (side) => {
      const unknown = side.tenant('unknown', { spec: { nope: 1 } });
      return [
        { ...applied(unknown, 'create -f -'), code: 1, says: /unknown field "spec\.nope"/ },
        { ...applied(unknown, 'create -f - --validate=warn'), says: /unknown field "spec\.nope"/ },
        command(`get ${side.resource} unknown -o jsonpath={.spec.nope}`),
        applied(side.tenant('ignored', { spec: { nope: 1 } }), 'create -f - --validate=ignore'),
        { ...applied(side.dataStore('Bad_Name'), 'create -f -'), code: 1, says: /RFC 1123 subdomain/ },
        {
          ...applied(side.tenant('bad', { spec: { kubernetes: 'v1' } }), 'create -f -'),
          code: 1,
          says: /must be of type object/,
        },
        { ...applied(side.tenant('bad', wrongType), 'create -f -'), code: 1 },
        { ...applied(side.tenant('bad', { metadata: { labels: { 'a b': 'c' } } }), 'create -f -'), code: 1 },
        { ...applied(side.tenant('bad', { spec: undefined }), 'create -f -'), code: 1 },
      ];
    },
  },
  {
    name: 'create --raw and replace --raw',
    steps: (side) => {
      const path = `/apis/${side.group}/v1alpha1/namespaces/${side.namespace}/tenantcontrolplanes`;
      return [
        applied(side.tenant('raw'), `create --raw ${path} -f -`),
        { ...applied(side.tenant('raw'), `create --raw ${path} -f -`), code: 1 },
        { ...applied(side.tenant('raw'), `replace --raw ${path}/raw -f -`), code: 1 },
        { ...applied('{', `create --raw ${path} -f -`), code: 1 },
        command(`delete --raw ${path}/raw`),
        command(`delete --raw ${path}/raw`, { code: 1 }),
      ];
    },
  },
  {
    name: 'apply: creates, is unchanged, merges three ways',
    steps: (side) => [
      { ...applied(first('applied', side)), says: / created$/m },
      { ...applied(first('applied', side)), says: / unchanged$/m },
      command(`annotate ${side.resource} applied by=somebody-else`),
      { ...applied(changed('applied', side)), says: / configured$/m },
      command(`get ${side.resource} applied -o yaml`),
      command(
        `get ${side.resource} applied -o jsonpath={.metadata.labels}{.metadata.annotations.by}{.spec.controlPlane.deployment.runtimeClassName}`,
        {
          says: /^\{"team":"blue"\}somebody-else$/,
        },
      ),
      command(`get ${side.resource} applied -o json --show-managed-fields`),
    ],
  },
  {
    name: 'apply: view-last-applied, set-last-applied, edit-last-applied',
    steps: (side) => [
      applied(side.tenant('created'), 'create -f -'),
      command(`apply view-last-applied ${side.resource} created`),
      { ...applied(side.tenant('created')), says: /missing the \S+ annotation/ },
      command(`apply view-last-applied ${side.resource} created -o json`),
      applied(changed('created', side), 'apply set-last-applied -f -'),
      command(`apply edit-last-applied ${side.resource} created`, { env: { KUBE_EDITOR: 'sed -i s/blue/green/' } }),
      command(`apply view-last-applied ${side.resource} created`, { says: /green/ }),
    ],
  },
  {
    name: 'apply --prune',
    steps: (side) => {
      const labelled = { metadata: { labels: { set: 'one' } } };
      const line = `apply -f - --prune -l set=one --prune-allowlist=${side.group}/v1alpha1/TenantControlPlane`;
      return [
        applied(listOf(side.tenant('stays', labelled), side.tenant('goes', labelled)), line),
        { ...applied(listOf(side.tenant('stays', labelled)), line), says: /goes pruned/ },
        command(`get ${side.resource} -o name`),
      ];
    },
  },
  {
    name: 'apply --dry-run, of client and server',
    steps: (side) => [
      applied(first('dry', side), 'apply -f - --dry-run=client'),
      applied(first('dry', side), 'apply -f - --dry-run=server -o yaml'),
      command(`get ${side.resource} dry`, { code: 1 }),
      applied(first('dry', side)),
      applied(changed('dry', side), 'apply -f - --dry-run=server -o yaml'),
      command(`get ${side.resource} dry -o jsonpath={.metadata.labels.team}`, { says: /^red$/ }),
    ],
  },
  {
    name: 'apply: what is wrong, and a stale revision',
    steps: (side) => [
      { ...applied(side.tenant('bad', { spec: { nope: 1 } })), code: 1, says: /strict decoding error|unknown field/ },
      applied(side.tenant('bad')),
      { ...applied(side.tenant('bad', { spec: { nope: 1 } })), code: 1, says: /unknown field/ },
      { ...applied(side.tenant('bad', { spec: { nope: 1 } }), 'apply -f - --validate=warn'), says: /unknown field/ },
      { ...applied(side.tenant('bad', wrongType)), code: 1 },
      {
        ...applied(side.tenant('bad', { metadata: { resourceVersion: '1', labels: { a: 'b' } } })),
        code: 1,
        says: /the object has been modified/,
      },
    ],
  },
  {
    name: 'apply --server-side: creates, again, drops a field',
    steps: (side) => [
      { ...applied(first('ssa', side), 'apply --server-side -f -'), says: /serverside-applied/ },
      applied(first('ssa', side), 'apply --server-side -f -'),
      applied(changed('ssa', side), 'apply --server-side -f -'),
      command(`get ${side.resource} ssa -o yaml --show-managed-fields`),
      command(
        `get ${side.resource} ssa -o jsonpath={.metadata.labels}{.spec.controlPlane.deployment.runtimeClassName}`,
        { says: /^\{"team":"blue"\}$/ },
      ),
    ],
  },
  {
    name: 'apply --server-side: a conflict, and --force-conflicts',
    steps: (side) => [
      applied(first('ssa', side), 'apply --server-side -f - --field-manager=one'),
      {
        ...applied(
          side.tenant('ssa', { metadata: { labels: { team: 'green' } }, deployment: { runtimeClassName: 'other' } }),
          'apply --server-side -f - --field-manager=two',
        ),
        code: 1,
        says: /Apply failed with 2 conflicts: conflicts with "one"/,
      },
      applied(
        side.tenant('ssa', { metadata: { labels: { team: 'green' } } }),
        'apply --server-side -f - --field-manager=two --force-conflicts',
      ),
      command(`get ${side.resource} ssa -o json --show-managed-fields`),
      { ...applied(first('ssa', side), 'apply --server-side -f - --field-manager=one'), code: 1 },
    ],
  },
  {
    name: 'apply --server-side over a client-side apply: ownership moves',
    steps: (side) => [
      applied(first('moved', side)),
      command(`scale ${side.resource} moved --replicas=2`),
      applied(changed('moved', side), 'apply --server-side -f - --force-conflicts'),
      command(`get ${side.resource} moved -o json --show-managed-fields`),
      applied(first('moved', side)),
      command(`get ${side.resource} moved -o json --show-managed-fields`),
    ],
  },
  {
    name: 'apply --server-side: dry run, unknown fields, wrong types, the status',
    steps: (side) => [
      applied(side.tenant('ssa'), 'apply --server-side -f - --dry-run=server -o yaml'),
      command(`get ${side.resource} ssa`, { code: 1 }),
      { ...applied(side.tenant('ssa', { spec: { nope: 1 } }), 'apply --server-side -f -'), code: 1 },
      { ...applied(side.tenant('ssa', wrongType), 'apply --server-side -f -'), code: 1 },
      applied(side.tenant('ssa'), 'apply --server-side -f -'),
      applied(
        side.tenant('ssa', { spec: undefined, ...CONDITION }),
        'apply --server-side -f - --subresource=status --field-manager=reporter',
      ),
      command(`get ${side.resource} ssa -o yaml --show-managed-fields`, { says: /subresource: status/ }),
    ],
  },
  {
    name: 'diff: something, nothing, server-side, and a new object',
    steps: (side) => [
      applied(first('differs', side)),
      { ...applied(first('differs', side), 'diff -f -') },
      { ...applied(changed('differs', side), 'diff -f -'), code: 1, says: /^-.*team: red$/m },
      { ...applied(changed('differs', side), 'diff -f - --server-side --force-conflicts'), code: 1 },
      { ...applied(side.tenant('new'), 'diff -f -'), code: 1 },
      {
        ...applied(changed('differs', side), 'diff -f - --show-managed-fields --server-side --force-conflicts'),
        code: 1,
      },
      command(`get ${side.resource} differs -o jsonpath={.metadata.labels.team}`, { says: /^red$/ }),
    ],
  },
  {
    name: 'edit: a change, none, one that is refused, the status',
    steps: (side) => [
      applied(first('edited', side)),
      command(`edit ${side.resource} edited`, {
        env: { KUBE_EDITOR: 'sed -i "s/team: red/team: green/"' },
        says: / edited$/m,
      }),
      command(`get ${side.resource} edited -o jsonpath={.metadata.labels.team}`, { says: /^green$/ }),
      command(`edit ${side.resource} edited`, { env: { KUBE_EDITOR: 'true' }, says: /cancelled/ }),
      command(`edit ${side.resource} edited`, {
        env: { KUBE_EDITOR: 'sed -i "s/replicas: .*/replicas: nope/"' },
        code: 1,
      }),
      command(`edit ${side.resource} edited --subresource=status`, {
        env: { KUBE_EDITOR: "sed -i '$astatus:\\n  controlPlaneEndpoint: here:1'" },
      }),
      command(`get ${side.resource} edited -o jsonpath={.status.controlPlaneEndpoint}`, { says: /^here:1$/ }),
      command(`get ${side.resource} edited -o json --show-managed-fields`),
    ],
  },
  {
    name: 'patch: merge and JSON, and no strategic merge',
    steps: (side) =>
      [
        applied(first('patched', side)),
        {
          args: ['patch', side.resource, 'patched', '-p', '{"metadata":{"labels":{"a":"b"}}}'],
          code: 1,
          says: /UnsupportedMediaType|the body of the request was in an unknown format/,
        },
        patch(side, 'patched', 'strategic', {}, '-o', 'name'),
        patch(side, 'patched', 'merge', { metadata: { labels: { team: null, tier: 'gold' } } }),
        patch(side, 'patched', 'merge', {}),
        patch(side, 'patched', 'json', [
          { op: 'replace', path: '/spec/controlPlane/deployment/runtimeClassName', value: 'another' },
        ]),
        {
          ...patch(side, 'patched', 'json', [
            { op: 'test', path: '/spec/controlPlane/deployment/runtimeClassName', value: 'no' },
          ]),
          code: 1,
        },
        { ...patch(side, 'patched', 'json', [{ op: 'remove', path: '/spec/nope' }]), code: 1 },
        { ...patch(side, 'patched', 'merge', { spec: { nope: 1 } }) },
        { ...patch(side, 'patched', 'merge', { metadata: { name: 'other' } }), code: 1 },
        { ...patch(side, 'nobody', 'merge', {}), code: 1 },
        patch(
          side,
          'patched',
          'merge',
          { metadata: { labels: { dry: 'run' } } },
          '--dry-run=server',
          '-o',
          'jsonpath={.metadata.labels}',
        ),
        command(`get ${side.resource} patched -o yaml --show-managed-fields`),
      ].map((step, index) => (index === 2 ? { ...step, code: 1 } : step)),
  },
  {
    name: 'patch --subresource=status and scale',
    steps: (side) => [
      applied(side.tenant('patched')),
      patch(side, 'patched', 'merge', { ...CONDITION, spec: { dataStore: 'ignored' } }, '--subresource=status'),
      patch(side, 'patched', 'merge', { spec: { replicas: 3 } }, '--subresource=scale', '-o', 'yaml'),
      patch(side, 'patched', 'json', [{ op: 'replace', path: '/spec/replicas', value: 4 }], '--subresource=scale'),
      { ...patch(side, 'patched', 'merge', { spec: { replicas: -1 } }, '--subresource=scale'), code: 1 },
      patch(side, 'patched', 'merge', { status: { controlPlaneEndpoint: 'not:1' } }),
      command(`get ${side.resource} patched -o yaml --show-managed-fields`),
    ],
  },
  {
    name: 'label and annotate',
    steps: (side) => [
      applied(listOf(side.tenant('a'), side.tenant('b', { metadata: { labels: { team: 'red' } } }))),
      command(`label ${side.resource} a team=blue`),
      command(`label ${side.resource} a team=red`, { code: 1, says: /already has a value/ }),
      command(`label ${side.resource} a team=green --overwrite`),
      command(`label ${side.resource} a team=green`, { says: /not labeled/ }),
      command(`label ${side.resource} -l team=red tier=gold`),
      command(`label ${side.resource} --all all=yes`),
      command(`label ${side.resource} a --list`, { unordered: true }),
      command(`label ${side.resource} a team-`),
      command(`label ${side.resource} a x=y --resource-version=1`, { code: 1, says: /the object has been modified/ }),
      command(`label ${side.resource} a x=y --dry-run=server -o jsonpath={.metadata.labels}`),
      { args: ['label', side.resource, 'a', 'b=c d'], code: 1 },
      command(`annotate ${side.resource} a note=hello`),
      command(`annotate ${side.resource} a note=bye --overwrite -o jsonpath={.metadata.annotations.note}`),
      command(`annotate ${side.resource} a note-`),
      command(`annotate ${side.resource} nobody a=b`, { code: 1 }),
      command(`get ${side.resource} -o yaml`),
    ],
  },
  {
    name: 'replace: forced, of the status, of what is not there',
    steps: (side) => [
      applied(side.tenant('replaced'), 'create -f -'),
      applied(side.tenant('replaced', { metadata: { labels: { new: 'yes' } } }), 'replace -f -'),
      {
        ...applied(side.tenant('replaced', { metadata: { resourceVersion: '1' } }), 'replace -f -'),
        code: 1,
        says: /Conflict/,
      },
      applied(side.tenant('replaced', CONDITION), 'replace -f - --subresource=status'),
      applied(side.tenant('replaced', { metadata: { labels: { forced: 'yes' } } }), 'replace --force -f -'),
      applied(side.tenant('replaced'), 'replace -f - --dry-run=server'),
      { ...applied(side.tenant('nobody'), 'replace -f -'), code: 1 },
      { ...applied(side.tenant('replaced', { spec: { nope: 1 } }), 'replace -f -'), code: 1 },
      command(`get ${side.resource} replaced -o yaml`),
    ],
  },
  {
    name: 'delete: by name, label, file, all, and what is not there',
    steps: (side) => [
      applied(
        listOf(
          ...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) =>
            side.tenant(name, { metadata: { labels: { name, most: name > 'e' ? 'no' : 'yes' } } }),
          ),
        ),
      ),
      command(`delete ${side.resource} a --dry-run=server`),
      command(`delete ${side.resource} a`),
      command(`delete ${side.resource} a`, { code: 1, says: /NotFound/ }),
      command(`delete ${side.resource} a --ignore-not-found`),
      command(`delete ${side.resource} b c -o name`),
      command(`delete ${side.resource} -l name=d`),
      applied(side.tenant('e'), 'delete -f - --now'),
      command(`delete ${side.resource} --field-selector=metadata.name=f`),
      command(`delete ${side.resource} --all`),
      command(`delete ${side.resource} --all`, { says: /No resources found/ }),
      command(`delete ${side.resource}`, { code: 1 }),
      command(`get ${side.resource}`),
    ],
  },
  {
    name: 'delete: --cascade, --grace-period and --force',
    steps: (side) => [
      applied(listOf(...['back', 'front', 'orphan', 'graced', 'forced'].map((name) => side.tenant(name)))),
      command(`delete ${side.resource} back --cascade=background`),
      command(`delete ${side.resource} front --cascade=foreground`),
      command(`delete ${side.resource} orphan --cascade=orphan`),
      command(`delete ${side.resource} graced --grace-period=1`),
      command(`delete ${side.resource} forced --grace-period=0 --force`),
      command(`get ${side.resource}`, { says: /No resources found/ }),
    ],
  },
  {
    name: 'delete: an object with a finalizer is waited for',
    steps: (side) => [
      applied(side.tenant('held', { metadata: { finalizers: ['example.com/hold'] } })),
      command(`delete ${side.resource} held --wait=false`),
      command(`delete ${side.resource} held --timeout=1s`, { code: 1, says: /timed out waiting/ }),
      command(`get ${side.resource} held -o yaml`, { says: /deletionTimestamp/ }),
      { ...applied(side.tenant('held', { metadata: { finalizers: ['example.com/hold'] } }), 'create -f -'), code: 1 },
      command(`label ${side.resource} held still=here`),
      {
        ...patch(side, 'held', 'merge', { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } }),
        code: 1,
      },
      {
        background: ['delete', side.resource, 'held', '--timeout=20s'],
        during: [patch(side, 'held', 'merge', { metadata: { finalizers: null } })],
      },
      command(`get ${side.resource} held`, { code: 1 }),
    ],
  },
  {
    name: 'scale',
    steps: (side) => [
      applied(listOf(side.tenant('a'), side.tenant('b'))),
      command(`scale ${side.resource} a --replicas=3`),
      command(`scale ${side.resource}/a ${side.resource}/b --replicas=2`),
      command(`scale ${side.resource} a --current-replicas=2 --replicas=1`),
      command(`scale ${side.resource} a --current-replicas=7 --replicas=1`, {
        code: 1,
        says: /Expected replicas to be 7/,
      }),
      command(`scale ${side.resource} a --resource-version=1 --replicas=2`, { code: 1 }),
      command(`scale ${side.resource} nobody --replicas=1`, { code: 1 }),
      command(`scale ${side.resource} --all --replicas=2`),
      command(`scale ${side.resource} a --replicas=5 --dry-run=server`),
      command(`get ${side.resource} -o jsonpath={.items[*].spec.controlPlane.deployment.replicas}`, { says: /^2 2$/ }),
      command(`get ${side.resource} a -o yaml --show-managed-fields`, { says: /subresource: scale/ }),
    ],
  },
  {
    name: 'wait: for a condition, a value, a deletion, a creation, in vain',
    steps: (side) => [
      applied(side.tenant('awaited', { metadata: { labels: { some: 'label' } } })),
      command(`wait ${side.resource}/awaited --for=condition=Ready --timeout=1s`, {
        code: 1,
        says: /timed out waiting/,
      }),
      {
        background: ['wait', `${side.resource}/awaited`, '--for=condition=Ready', '--timeout=20s'],
        during: [patch(side, 'awaited', 'merge', CONDITION, '--subresource=status')],
      },
      command(`wait ${side.resource}/awaited --for=condition=Ready --timeout=5s`, { says: /condition met/ }),
      {
        background: [
          'wait',
          side.resource,
          '-l',
          'some=label',
          '--for=jsonpath={.metadata.annotations.done}=yes',
          '--timeout=20s',
        ],
        during: [command(`annotate ${side.resource} awaited done=yes`)],
      },
      command(`wait ${side.resource} --all --for=jsonpath={.metadata.name} --timeout=5s`),
      {
        background: ['wait', `${side.resource}/awaited`, '--for=delete', '--timeout=20s'],
        during: [command(`delete ${side.resource} awaited`)],
      },
      command(`wait ${side.resource}/awaited --for=delete --timeout=5s`),
      command(`wait ${side.resource}/awaited --for=condition=Ready --timeout=1s`, { code: 1, says: /NotFound/ }),
      {
        background: ['wait', `${side.resource}/comes`, '--for=create', '--timeout=20s'],
        during: [applied(side.tenant('comes'))],
      },
    ],
  },
  {
    name: 'autoscale makes an autoscaler of it',
    steps: (side) => [
      applied(side.tenant('scaled')),
      command(`autoscale ${side.resource} scaled --min=1 --max=3`),
      command('get hpa scaled -o jsonpath={.spec.scaleTargetRef}', { says: /TenantControlPlane/ }),
      command('delete hpa scaled'),
    ],
  },
  {
    name: 'a kind of cluster scope: apply, get, patch, describe, delete',
    steps: (side) => {
      const name = `store-${side.namespace}`;
      return [
        applied(side.dataStore(name)),
        applied(side.dataStore(name, { labels: { a: 'b' } }), 'apply --server-side --force-conflicts -f -'),
        command(`get ${side.dataStores} ${name}`),
        command(`get ${side.dataStores} ${name} -o json --show-managed-fields`),
        {
          args: [
            'patch',
            side.dataStores,
            name,
            '--type=json',
            '-p',
            '[{"op":"add","path":"/spec/endpoints/-","value":"second:2379"}]',
          ],
        },
        {
          args: [
            'patch',
            side.dataStores,
            name,
            '--type=merge',
            '--subresource=status',
            '-p',
            '{"status":{"ready":true}}',
          ],
        },
        { ...applied(side.dataStore(name, { labels: { a: 'c' } }), 'diff -f -'), code: 1 },
        command(`describe ${side.dataStores} ${name}`),
        command(`get ${side.dataStores} ${name} -o wide`, { says: /etcd +true/ }),
        command(`scale ${side.dataStores} ${name} --replicas=1`, { code: 1 }),
        command(`delete ${side.dataStores} ${name}`),
      ];
    },
  },
];
