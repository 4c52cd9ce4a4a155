import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, runOk, type RunOptions, type RunResult } from '../env/run.ts';

/** kubectl as cluster admin of the admin cluster; throws when it fails. */
export const kubectl = (args: readonly string[], options?: RunOptions): Promise<string> =>
  runOk('hack/kubectl', args, options);

/** The same for commands that are expected to fail. */
export const kubectlResult = (args: readonly string[], options?: RunOptions): Promise<RunResult> =>
  run('hack/kubectl', args, options);

export const applyYaml = (yaml: string): Promise<string> => kubectl(['apply', '-f', '-'], { input: yaml });

/** kubectl inside a tenant cluster, with a kubeconfig file. */
export interface TenantKubectl {
  (args: readonly string[], options?: RunOptions): Promise<string>;
  readonly kubeconfig: string;
}

/** Gets a kubeconfig the way a user does, into a file that only this test can read. */
export async function kubectlForTenant(name: string, folder: string): Promise<TenantKubectl> {
  const text = await kubectl(['get', 'tcp', name, '--subresource=kubeconfig', '-o', 'yaml']);
  const kubeconfig = join(folder, `${name}.kubeconfig`);
  await writeFile(kubeconfig, text, { mode: 0o600 });
  const call = (args: readonly string[], options?: RunOptions): Promise<string> =>
    runOk('hack/kubectl', ['--kubeconfig', kubeconfig, ...args], options);
  return Object.assign(call, { kubeconfig });
}

export async function withFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'kamaji-e2e-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** etcdctl as root inside the DataStore's own pod. */
export const etcdctl = (args: readonly string[]): Promise<string> =>
  kubectl(['-n', 'kamaji-system', 'exec', 'etcd-0', '--', 'etcdctl', ...args]);

export interface TenantOptions {
  readonly name: string;
  readonly dataStore?: string;
  readonly port?: number;
  readonly replicas?: number;
  readonly version?: string;
  readonly addons?: string;
}

/** A tenant behind a ClusterIP Service, or behind a NodePort on the admin machine when `port` is given. */
export function tenantYaml(options: TenantOptions): string {
  const network = options.port === undefined ? '{}' : `{ address: 10.240.0.1, port: ${options.port} }`;
  return `apiVersion: kamaji.io/v1alpha1
kind: TenantControlPlane
metadata:
  name: ${options.name}
  namespace: default
spec:
  dataStore: ${options.dataStore ?? 'default'}
  controlPlane:
    deployment:
      replicas: ${options.replicas ?? 1}
    service:
      serviceType: ${options.port === undefined ? 'ClusterIP' : 'NodePort'}
  kubernetes:
    version: ${options.version ?? 'v1.36.3'}
    kubelet: {}
  networkProfile: ${network}
  addons: ${options.addons ?? '{}'}
`;
}
