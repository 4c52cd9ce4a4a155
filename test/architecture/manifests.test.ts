/** What the YAML that we install says about the program, and the other way round. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { describe, expect, it } from 'vitest';
import { applyJsonPatch, parseJsonPatch } from '../../src/apimachinery/json-patch.ts';
import type { Json } from '../../src/apimachinery/object.ts';
import { createGuardRoute } from '../../src/cli/guard-route.ts';
import { readServeFlags } from '../../src/cli/serve-flags.ts';
import { LABEL_IRREPLACEABLE } from '../../src/tenancy/provisioning/names.ts';

// YAML is untyped; the assertions are what types it.
// oxlint-disable-next-line typescript/no-explicit-any
type Manifest = any;

const root = fileURLToPath(new URL('../../', import.meta.url));

function read(...folders: readonly string[]): readonly Manifest[] {
  return folders.flatMap((folder) =>
    readdirSync(root + folder)
      .filter((file) => file.endsWith('.yaml'))
      .flatMap((file) =>
        parseAllDocuments(readFileSync(`${root}${folder}/${file}`, 'utf8')).map((document): Manifest =>
          document.toJS(),
        ),
      ),
  );
}

const installed = read('manifests/base', 'manifests/overlays/single', 'apiservice', 'webhooks');
const find = (kind: string, name: string): Manifest => {
  const found = installed.filter((manifest) => manifest.kind === kind && manifest.metadata?.name === name);
  expect([kind, name, found.length]).toEqual([kind, name, 1]);
  return found[0];
};

function flagsOf(args: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    args.slice(1).map((flag) => {
      const [name = '', ...value] = flag.replace('$(POD_NAMESPACE)', 'kamaji-system').slice(2).split('=');
      return [name, value.join('=')];
    }),
  );
}

describe('the Deployment', () => {
  const deployment = find('Deployment', 'kamaji');
  const pod = deployment.spec.template.spec;
  const [container] = pod.containers;

  it('calls the program with flags that it knows', () => {
    expect(container.args[0]).toBe('serve');
    const flags = readServeFlags(flagsOf(container.args));
    const service = find('Service', flags.service);
    expect(service.metadata.namespace).toBe(flags.namespace);
    expect(container.ports[0]).toMatchObject({
      name: service.spec.ports[0].targetPort,
      containerPort: flags.securePort,
    });
    expect(service.spec.selector).toEqual(deployment.spec.selector.matchLabels);
    expect(flags.storage).toMatch(`sqlite://${container.volumeMounts[0].mountPath}/`);
  });

  it('never runs twice on the embedded store', () => {
    expect(deployment.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  });

  it('needs no privilege', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod.securityContext.runAsUser).toBeGreaterThan(0);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect([pod.hostNetwork, pod.hostPID, pod.hostIPC]).toEqual([undefined, undefined, undefined]);
    expect(container.resources.limits?.cpu).toBeUndefined();
  });
});

describe('several replicas', () => {
  const [change, budget] = [read('manifests/overlays/ha')].flatMap((manifests) => [
    manifests.find(({ kind }) => kind === 'Deployment'),
    manifests.find(({ kind }) => kind === 'PodDisruptionBudget'),
  ]);
  const pod = change.spec.template.spec;

  it('call the program with an etcd in the place of the embedded store', () => {
    const operations = parseAllDocuments(readFileSync(`${root}manifests/overlays/ha/etcd.yaml`, 'utf8'))[0]?.toJS();
    const parsed = parseJsonPatch(operations as Json);
    const patched: Manifest = applyJsonPatch(find('Deployment', 'kamaji') as Json, parsed.operations);
    const flags = readServeFlags(flagsOf(patched.spec.template.spec.containers[0].args));
    expect(flags.storage).toBe('etcd:');
    expect(flags.etcd?.servers).toHaveLength(3);
    const [mount] = pod.containers[0].volumeMounts.filter(({ name }: Manifest) => name === 'etcd-client');
    for (const path of [flags.etcd?.caFile, flags.etcd?.certFile, flags.etcd?.keyFile]) {
      expect(path).toMatch(new RegExp(`^${mount.mountPath}/[\\w.]+$`));
    }
    expect(flags.leaderElect).toBe(true);
  });

  it('leave nothing of the embedded store', () => {
    const removed = (list: readonly Manifest[]) => list.filter(({ $patch }) => $patch === 'delete');
    expect(removed(pod.volumes)).toMatchObject([{ name: 'state' }]);
    expect(removed(pod.containers[0].volumeMounts)).toMatchObject([{ mountPath: '/var/lib/kamaji' }]);
  });

  it('are replaced without a moment of fewer, and spread', () => {
    expect(change.spec).toMatchObject({
      replicas: 3,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    });
    const labels = find('Deployment', 'kamaji').spec.selector.matchLabels;
    const [rule] = pod.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution;
    expect(rule.podAffinityTerm.labelSelector.matchLabels).toEqual(labels);
    expect(pod.topologySpreadConstraints[0].labelSelector.matchLabels).toEqual(labels);
    expect(budget.spec).toEqual({ maxUnavailable: 1, selector: { matchLabels: labels } });
  });

  it('may hold the lease of the leader, in their own namespace alone', () => {
    const aboutLeases = installed.filter(({ rules }) =>
      (rules ?? []).some(({ resources }: Manifest) => resources.includes('leases')),
    );
    expect(aboutLeases).toMatchObject([{ kind: 'Role', metadata: { namespace: 'kamaji-system' } }]);
    expect(aboutLeases[0].rules[0].verbs).toEqual(expect.arrayContaining(['get', 'create', 'update']));
  });
});

describe('the registrations', () => {
  it('lead to our Service', () => {
    const { name, namespace } = find('Service', 'kamaji').metadata;
    const { spec } = find('APIService', 'v1alpha1.kamaji.io');
    expect(spec).toMatchObject({ group: 'kamaji.io', version: 'v1alpha1', service: { name, namespace } });
    // The program puts its own authority in; none would be better than somebody else's, and skipping the check worse than both.
    expect([spec.caBundle, spec.insecureSkipTLSVerify]).toEqual([undefined, undefined]);
    const [webhook] = find('ValidatingWebhookConfiguration', 'kamaji-guard').webhooks;
    const { path } = createGuardRoute({ namespace }, () => expect.fail('not asked'));
    expect(webhook.clientConfig).toEqual({ service: { name, namespace, port: 443, path } });
  });

  it('keep the guard to what it is for, and out of the way when it is down', () => {
    const { webhooks } = find('ValidatingWebhookConfiguration', 'kamaji-guard');
    expect(webhooks).toHaveLength(1);
    expect(webhooks[0]).toMatchObject({
      failurePolicy: 'Ignore',
      sideEffects: 'None',
      timeoutSeconds: 5,
      objectSelector: { matchLabels: { [LABEL_IRREPLACEABLE]: 'true' } },
      rules: [{ resources: ['secrets'], operations: ['UPDATE', 'DELETE'] }],
    });
  });
});

describe('what our ServiceAccount may', () => {
  const roles = installed.filter(
    ({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && !/^kamaji:(view|edit|admin)$/.test(metadata.name),
  );
  const rules = roles.flatMap(({ rules: of }) => of as Manifest[]);

  it('has no wildcard, nothing of RBAC, and no way to become somebody else', () => {
    expect(rules.length).toBeGreaterThan(5);
    for (const rule of rules) {
      const words = [...rule.apiGroups, ...rule.resources, ...rule.verbs];
      expect(words).not.toContain('*');
      expect(
        words.filter((word) =>
          /rbac|impersonate|escalate|bind|serviceaccounts|pods\/|nodes|certificatesigningrequests/.test(word),
        ),
      ).toEqual([]);
    }
  });

  it('looks at pods and does nothing to them', () => {
    const aboutPods = rules.filter(({ resources }) => resources.includes('pods'));
    expect(aboutPods).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]);
  });

  it('is by name where it changes what the whole cluster depends on', () => {
    const clusterWide = rules.filter(({ resources }) =>
      resources.some((name: string) => /^(apiservices|.*webhookconfigurations)$/.test(name)),
    );
    expect(new Set(clusterWide.flatMap(({ resourceNames }) => resourceNames))).toEqual(
      new Set(['kamaji-guard', 'v1alpha1.kamaji.io']),
    );
    for (const { verbs } of clusterWide) expect(new Set(verbs)).toEqual(new Set(['get', 'patch', 'update']));
  });
});

describe('what users may', () => {
  const rulesOf = (role: string) => find('ClusterRole', `kamaji:${role}`).rules as Manifest[];
  const labelsOf = (role: string) =>
    Object.keys(find('ClusterRole', `kamaji:${role}`).metadata.labels)
      .filter((label) => label.includes('aggregate-to-'))
      .map((label) => label.split('aggregate-to-')[1]);

  it('is to mint credentials with admin alone', () => {
    const minting = (role: string) =>
      rulesOf(role).some(({ resources }) => resources.some((name: string) => /kubeconfig$|join-token|\*/.test(name)));
    expect([minting('view'), minting('edit'), minting('admin')]).toEqual([false, false, true]);
    expect(rulesOf('admin')[0].verbs).toEqual(['get', 'create']);
    expect(labelsOf('admin')).toEqual(['admin']);
    expect(labelsOf('edit')).toEqual(['edit', 'admin']);
    expect(labelsOf('view')).toEqual(['view', 'edit', 'admin']);
  });

  it('is never the status, nor DataStores, which lead to every tenant', () => {
    for (const role of ['view', 'edit', 'admin']) {
      for (const { resources, verbs } of rulesOf(role)) {
        expect(resources.filter((name: string) => name.startsWith('datastores'))).toEqual([]);
        if (resources.some((name: string) => name.endsWith('/status'))) expect(verbs).toEqual(['get', 'list', 'watch']);
      }
    }
  });
});
