/** What a platform team changes on a tenant that lives: keys of another kind, the tunnel off and on, sleep and waking. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../env/run.ts';
import {
  applyYaml,
  kubectl,
  kubectlForTenant,
  kubectlResult,
  tenantYaml,
  withFolder,
  type TenantKubectl,
} from './cluster.ts';

const NAME = 'day-two';

describe('a tenant that changes', () => {
  let folder: Awaited<ReturnType<typeof withFolder>>;
  let tenant: TenantKubectl;

  const read = (path: string): Promise<string> => kubectl(['get', 'tcp', NAME, '-o', `jsonpath=${path}`]);
  const phase = (): Promise<string> => read('{.status.kubernetesResources.version.status}');
  const containers = (): Promise<string> =>
    kubectl(['get', 'deployment', NAME, '-o', 'jsonpath={.spec.template.spec.containers[*].name}']);
  const patch = (spec: object): Promise<string> =>
    kubectl(['patch', 'tcp', NAME, '--type=merge', '-p', JSON.stringify({ spec })]);
  const untilReady = async (): Promise<void> => {
    await eventually(
      'the tenant to be Ready for its newest generation',
      async () => {
        const [observed, generation, ready, rolled] = (
          await read(
            '{.status.observedGeneration} {.metadata.generation} {.status.conditions[?(@.type=="Ready")].status} {.status.kubernetesResources.deployment.unavailableReplicas}',
          )
        ).split(' ');
        return observed === generation && ready === 'True' && !rolled ? true : undefined;
      },
      { timeoutMs: 120_000, intervalMs: 500 },
    );
  };

  beforeAll(async () => {
    folder = await withFolder();
    const yaml = tenantYaml({ name: NAME, addons: '{ konnectivity: { enabled: false } }' });
    await applyYaml(yaml.replace('kubelet: {}', 'kubelet: {}\n    encryptionAlgorithm: RSA-2048'));
    await untilReady();
    tenant = await kubectlForTenant(NAME, folder.path);
  });
  afterAll(async () => {
    await kubectlResult(['delete', 'tcp', NAME, '--ignore-not-found', '--timeout=60s'], { timeoutMs: 70_000 });
    await folder.remove();
  });

  it('lives with RSA keys and without the tunnel', async () => {
    expect(await containers()).not.toContain('konnectivity-server');
    expect(await kubectl(['get', 'service', NAME, '-o', 'jsonpath={.spec.ports[*].name}'])).toBe('kube-apiserver');
    const key = await kubectl(['get', 'secret', `${NAME}-ca`, '-o', 'jsonpath={.data.tls\\.key}']);
    expect(Buffer.from(key, 'base64').toString()).toContain('BEGIN RSA PRIVATE KEY');
    expect(await tenant(['get', 'namespaces', '-o', 'name'])).toContain('namespace/default');
  });

  it('gets the tunnel when it is switched on', async () => {
    await patch({ addons: { konnectivity: { enabled: true } } });
    await untilReady();
    expect(await containers()).toContain('konnectivity-server');
    const agent = await eventually('the agents in the tenant', async () => {
      const found = await tenant(['-n', 'kube-system', 'get', 'daemonset', 'konnectivity-agent', '-o', 'name']);
      return found === '' ? undefined : found;
    });
    expect(agent).toContain('konnectivity-agent');
  });

  it('loses all of it when it is switched off', async () => {
    await patch({ addons: { konnectivity: { enabled: false } } });
    await untilReady();
    await eventually('the agents to be gone', async () => {
      const found = await tenant([
        '-n',
        'kube-system',
        'get',
        'daemonset,serviceaccount',
        '-l',
        'kamaji.io/component=konnectivity-agent',
        '-o',
        'name',
      ]);
      return found === '' ? true : undefined;
    });
    expect(await kubectl(['get', 'service', NAME, '-o', 'jsonpath={.spec.ports[*].name}'])).toBe('kube-apiserver');
    const left = await kubectl(['get', 'secrets,configmaps', '-l', `kamaji.io/name=${NAME}`, '-o', 'name']);
    expect(left).not.toContain('konnectivity');
  });

  it('sleeps with no pod, and wakes with everything in it', async () => {
    await tenant(['create', 'configmap', 'kept', '--from-literal=a=b']);
    await kubectl(['scale', 'tcp', NAME, '--replicas=0']);
    await eventually('the phase Sleeping', async () => ((await phase()) === 'Sleeping' ? true : undefined));
    await eventually('the pods to be gone', async () =>
      (await kubectl(['get', 'pods', '-l', `kamaji.io/name=${NAME}`, '-o', 'name'])) === '' ? true : undefined,
    );
    expect(await read('{.status.conditions[?(@.type=="Ready")].reason}')).toBe('Sleeping');
    await kubectl(['scale', 'tcp', NAME, '--replicas=1']);
    await untilReady();
    expect(await phase()).toBe('Ready');
    expect(await tenant(['get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}'])).toBe('b');
  });

  it('keeps its root keys from a slip of the admin', async () => {
    const answer = await kubectlResult(['delete', 'secret', `${NAME}-ca`]);
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toContain('delete the TenantControlPlane');
  });
});
