import { applied, command, listOf, type Flow, type Side } from './flow.ts';

const labels = (team: string, tier: string): { metadata: object } => ({ metadata: { labels: { team, tier } } });

/** Three tenants to read. */
const three = (side: Side) =>
  applied(
    listOf(
      side.tenant('alpha', labels('red', 'gold')),
      side.tenant('beta', labels('red', 'silver')),
      side.tenant('gamma', { ...labels('blue', 'gold'), deployment: { runtimeClassName: 'gamma' } }),
    ),
    'create -f -',
  );

const READY = JSON.stringify({
  status: {
    controlPlaneEndpoint: '192.0.2.1:6443',
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Tested',
        message: 'as told',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
    kubernetesResources: {
      version: { version: 'v1.36.1', status: 'Ready' },
      deployment: { name: 'alpha', namespace: 'default', replicas: 1, selector: 'app=alpha' },
    },
  },
});
const withStatus = ({ resource }: Side, name: string) => ({
  args: ['patch', resource, name, '--subresource=status', '--type=merge', '-p', READY],
});

export const READ_FLOWS: readonly Flow[] = [
  {
    name: 'get: the table, wide, with labels, without headers, of one name',
    steps: (side) => [
      three(side),
      withStatus(side, 'alpha'),
      command(`get ${side.resource}`, { says: /alpha +v1\.36\.1 +v1\.36\.1 +Ready +True +192\.0\.2\.1:6443/ }),
      command(`get ${side.short} -o wide`),
      command(`get ${side.short} --show-labels`, { says: /team=red,tier=gold|tier=gold,team=red/ }),
      command(`get ${side.short} -L team -L nothing --no-headers`),
      command(`get ${side.resource} alpha`),
      command(`get ${side.short}/alpha --show-kind`),
      command(`get ${side.resource} --server-print=false`),
    ],
  },
  {
    name: 'get -o yaml and json, of one and of all, with managed fields',
    steps: (side) => [
      three(side),
      command(`get ${side.resource} alpha -o yaml`),
      command(`get ${side.resource} alpha -o json`),
      command(`get ${side.resource} -o json`, { says: /"kind": "List"/ }),
      command(`get ${side.resource} -o yaml`),
      command(`get ${side.resource} alpha -o yaml --show-managed-fields`),
    ],
  },
  {
    name: 'get -o name, jsonpath, go-template and custom-columns',
    steps: (side) => [
      three(side),
      command(`get ${side.resource} -o name`, { says: /^tenantcontrolplane\.\S+\/alpha$/m }),
      command(`get ${side.resource} -o jsonpath={.items[*].metadata.name}`, { says: /^alpha beta gamma$/ }),
      command(`get ${side.resource} alpha -o jsonpath={.spec.networkProfile}`),
      command(
        `get ${side.resource} -o go-template={{range.items}}{{.metadata.name}}:{{.spec.kubernetes.version}},{{end}}`,
      ),
      command(
        `get ${side.resource} -o custom-columns=N:.metadata.name,R:.spec.controlPlane.deployment.replicas,X:.nope`,
      ),
      command(`get ${side.resource} alpha -o jsonpath={.nope.nope}`),
    ],
  },
  {
    name: 'get -l: equality, sets, existence, and one that cannot be read',
    steps: (side) => [
      three(side),
      command(`get ${side.short} -l team=red -o name`),
      command(`get ${side.short} -l team!=red -o name`),
      { args: ['get', side.short, '-l', 'team in (blue, green)', '-o', 'name'] },
      { args: ['get', side.short, '-l', 'tier notin (gold)', '-o', 'name'] },
      command(`get ${side.short} -l tier,!nothing -o name`),
      command(`get ${side.short} -l team=nobody`, { says: /No resources found/ }),
      command(`get ${side.short} -l team=red,tier=gold`),
      { args: ['get', side.short, '-l', 'team in'], code: 1 },
    ],
  },
  {
    name: 'get --field-selector: name, namespace, and a field that cannot be selected',
    steps: (side) => [
      three(side),
      command(`get ${side.short} --field-selector=metadata.name=beta -o name`),
      command(`get ${side.short} --field-selector=metadata.name!=beta -o name`),
      command(`get ${side.short} -A --field-selector=metadata.namespace=${side.namespace}`),
      command(`get ${side.short} --field-selector=spec.dataStore=default`, {
        code: 1,
        says: /field label not supported/,
      }),
    ],
  },
  {
    name: 'get -A, --sort-by and --chunk-size',
    steps: (side) => [
      applied(
        listOf(
          ...['d', 'b', 'e', 'a', 'c'].map((name, index) =>
            side.tenant(name, { metadata: { labels: { of: side.namespace } }, deployment: { replicas: index } }),
          ),
        ),
        'create -f -',
      ),
      command(`get ${side.short} -A -l of=${side.namespace}`, { says: /NAMESPACE/ }),
      command(`get ${side.short} --chunk-size=2 -o name`, { says: /\/a\n[^]*\/e\n/ }),
      command(`get ${side.short} --chunk-size=1 -o json`),
      command(`get ${side.short} --chunk-size=2`),
      command(`get ${side.short} --sort-by=.spec.controlPlane.deployment.replicas -o name`, {
        says: /\/d\n[^]*\/b\n[^]*\/e\n/,
      }),
      command(`get ${side.short} --sort-by={.metadata.name}`),
    ],
  },
  {
    name: 'get: several names, one of which is missing',
    steps: (side) => [
      three(side),
      command(`get ${side.resource} alpha gamma -o name`),
      command(`get ${side.resource} alpha nobody -o name`, { code: 1, says: /NotFound/ }),
      command(`get ${side.resource} alpha nobody --ignore-not-found -o name`),
      command(`get ${side.resource} nobody`, { code: 1, says: /"nobody" not found/ }),
      command(`get ${side.resource},configmaps -o name`, { says: /configmap/, unordered: true }),
    ],
  },
  {
    name: 'get in a namespace that does not exist',
    steps: (side) =>
      [
        command(`get ${side.resource} nobody -n=nowhere-${side.namespace}`, { code: 1 }),
        command(`get ${side.resource} -n=nowhere-${side.namespace}`, { says: /No resources found/ }),
        applied(
          side.tenant('lost').replace(`"namespace":"${side.namespace}"`, `"namespace":"nowhere-${side.namespace}"`),
          'create -f - -n=nowhere-' + side.namespace,
        ),
      ].map((step, index) => (index === 2 ? { ...step, code: 1, says: /namespaces "\S+" not found/ } : step)),
  },
  {
    name: 'get by category',
    steps: (side) => [three(side), command('get kamaji'), command('get kamaji -o name')],
  },
  {
    name: 'get -w: the table',
    steps: (side) => [
      applied(side.tenant('seen')),
      {
        background: ['get', side.resource, '-w'],
        ready: /seen/,
        during: [
          applied(side.tenant('later')),
          command(`label ${side.resource} seen a=b`),
          command(`delete ${side.resource} later`),
          applied(side.tenant('last')),
        ],
        until: /last.*\n/,
      },
    ],
  },
  {
    name: 'get -w -o json --output-watch-events',
    steps: (side) => [
      applied(side.tenant('seen')),
      {
        background: [
          'get',
          side.resource,
          '-w',
          '--output-watch-events',
          '-o',
          'jsonpath={.type} {.object.metadata.name}{"\\n"}',
        ],
        ready: /seen/,
        during: [
          applied(side.tenant('later')),
          command(`label ${side.resource} seen a=b`),
          command(`delete ${side.resource} later`),
        ],
        until: /DELETED later\n/,
      },
    ],
  },
  {
    name: 'get --watch-only -l: objects that enter and leave the selection',
    steps: (side) => [
      applied(side.tenant('mover')),
      {
        background: [
          'get',
          side.resource,
          '--watch-only',
          '--output-watch-events',
          '-l',
          'in=yes',
          '-o',
          'jsonpath={.type} {.object.metadata.name}{"\\n"}',
        ],
        during: [
          command(`label ${side.resource} mover in=yes`),
          command(`annotate ${side.resource} mover a=b`),
          command(`label ${side.resource} mover in-`),
          command(`annotate ${side.resource} mover a=c --overwrite`),
          command(`label ${side.resource} mover in=yes`),
          command(`delete ${side.resource} mover`),
        ],
        until: /DELETED[^]*DELETED mover\n/,
      },
    ],
  },
  {
    name: 'get NAME -w -o name',
    steps: (side) => [
      three(side),
      {
        background: [
          'get',
          side.resource,
          'beta',
          '-w',
          '--output-watch-events',
          '-o',
          'jsonpath={.type} {.object.metadata.name}{"\\n"}',
        ],
        ready: /beta/,
        during: [
          command(`annotate ${side.resource} alpha a=b`),
          command(`annotate ${side.resource} beta a=b`),
          command(`delete ${side.resource} beta`),
        ],
        until: /DELETED beta\n/,
      },
    ],
  },
  {
    name: 'get --subresource=status and scale',
    steps: (side) => [
      three(side),
      withStatus(side, 'alpha'),
      command(`get ${side.resource} alpha --subresource=status`),
      command(`get ${side.resource} alpha --subresource=status -o yaml`, { says: /controlPlaneEndpoint/ }),
      command(`get ${side.resource} alpha beta --subresource=scale -o yaml`, { says: /kind: Scale/ }),
      command(`get ${side.resource} alpha --subresource=scale`),
      command(`get ${side.resource} nobody --subresource=scale`, { code: 1 }),
      command(`get ${side.resource} alpha --subresource=nothing`, { code: 1 }),
      command(`get ${side.resource} --subresource=status`, { code: 1 }),
    ],
  },
  {
    name: 'get --raw',
    steps: (side) => {
      const path = `/apis/${side.group}/v1alpha1/namespaces/${side.namespace}/tenantcontrolplanes`;
      return [
        three(side),
        command(`get --raw ${path}/alpha`, { says: /"kind":"TenantControlPlane"/ }),
        command(`get --raw ${path}?labelSelector=team%3Dblue`),
        command(`get --raw ${path}/nobody`, { code: 1 }),
        command(`get --raw ${path}?limit=no`, { code: 1 }),
      ];
    },
  },
  {
    name: 'describe: one, by label, and a missing one',
    steps: (side) => [
      three(side),
      withStatus(side, 'alpha'),
      command(`describe ${side.resource} alpha`, { says: /Control Plane Endpoint:/ }),
      command(`describe ${side.short} -l team=blue`),
      command(`describe ${side.short} nobody`, { code: 1 }),
      command(`describe ${side.short} al`),
    ],
  },
  {
    name: 'explain: the kind, a field, deep fields, a missing one',
    steps: (side) => [
      command(`explain ${side.resource}`, { says: /KIND: +TenantControlPlane/ }),
      command(`explain ${side.resource}.spec`),
      command(`explain ${side.resource}.spec.controlPlane.deployment.additionalContainers.env.valueFrom`),
      command(`explain ${side.resource}.metadata.ownerReferences`),
      command(`explain ${side.resource}.spec.nope`, { code: 1 }),
      command(`explain ${side.dataStores}.spec.tlsConfig`),
      command(`explain tenantcontrolplanes --api-version=${side.group}/v1alpha1`),
      command(`explain tenantcontrolplanes --api-version=${side.group}/v9`, { code: 1 }),
    ],
  },
  {
    name: 'explain --recursive',
    steps: (side) => [
      command(`explain ${side.resource}.spec --recursive`, { says: /additionalContainers/ }),
      command(`explain ${side.dataStores} --recursive`),
    ],
  },
  {
    name: 'explain --output=plaintext-openapiv2',
    steps: (side) => [
      command(`explain ${side.resource} --output=plaintext-openapiv2`, { says: /TenantControlPlane/ }),
      command(`explain ${side.resource}.spec.controlPlane.deployment --output=plaintext-openapiv2`),
      command(`explain ${side.dataStores}.spec.endpoints --output=plaintext-openapiv2`),
    ],
  },
  {
    name: 'api-resources',
    steps: (side) => [
      command(`api-resources --api-group=${side.group} -o wide`, { says: /tenantcontrolplanes +tcp/, unordered: true }),
      command(`api-resources --api-group=${side.group} --namespaced=false --verbs=list,watch -o name`),
      command(`api-resources --api-group=${side.group} --categories=kamaji --no-headers`),
    ],
  },
  {
    name: 'auth can-i',
    steps: (side) => [
      command(`auth can-i create ${side.resource}`, { says: /^yes/ }),
      command(`auth can-i get ${side.resource} --subresource=status`),
      command(`auth can-i delete ${side.short} --as=stranger`, { code: 1, says: /^no/ }),
      command(`get ${side.resource} --as=stranger`, { code: 1, says: /Forbidden/ }),
      command(`get ${side.resource} alpha --as=stranger`, { code: 1 }),
      command(`delete ${side.resource} alpha --as=stranger`, { code: 1 }),
    ],
  },
  {
    name: 'events --for, and what has no rollout',
    steps: (side) => [
      three(side),
      command(`events --for=${side.resource}/alpha`),
      command(`rollout status ${side.resource}/alpha`, { code: 1 }),
      command(`rollout history ${side.resource}/alpha`, { code: 1 }),
      command(`rollout restart ${side.resource}/alpha`, { code: 1 }),
      command(`rollout pause ${side.resource}/alpha`, { code: 1 }),
      command(`logs ${side.resource}/alpha`, { code: 1 }),
    ],
  },
];
