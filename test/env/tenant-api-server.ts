import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateAndKey } from '../../src/pki/certificate-and-key.ts';
import { createCertificateAuthority, issueCertificate, openAuthority } from '../../src/pki/issue.ts';
import { createSigningKeyPair } from '../../src/pki/keys.ts';
import { kubeconfigText, newKubeconfig } from '../../src/tenancy/provisioning/kubeconfig.ts';
import { builtProgram, freePort, type EtcdProcess } from './etcd.ts';
import { eventually, run, type RunResult } from './run.ts';

export interface TenantApiServer {
  readonly port: number;
  readonly ca: CertificateAndKey;
  /** kubectl as a user with these groups; `system:masters` may do anything. */
  kubectl(groups: readonly string[], args: readonly string[], input?: string): Promise<RunResult>;
  /** Path of a kubeconfig for such a user. */
  kubeconfig(groups: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/** A real kube-apiserver on 127.0.0.1 that keeps its objects under `/<schema>` of `etcd`, as the etcd user `username`. */
export async function startTenantApiServer(
  etcd: EtcdProcess,
  identity: { readonly schema: string; readonly username: string },
): Promise<TenantApiServer> {
  const [program, kubectl] = [await builtProgram('kube-apiserver'), await builtProgram('kubectl')];
  const folder = await mkdtemp(join(tmpdir(), 'kamaji-tenant-'));
  const now = new Date();
  const ca = await createCertificateAuthority({ subject: { commonName: 'kubernetes' }, now });
  const authority = openAuthority(ca);
  const serving = await issueCertificate(
    authority,
    { subject: { commonName: 'kube-apiserver' }, usages: ['server'], names: ['127.0.0.1'] },
    now,
  );
  const etcdClient = await issueCertificate(
    openAuthority(etcd.ca),
    { subject: { commonName: identity.username }, usages: ['client'] },
    now,
  );
  const keys = await createSigningKeyPair();
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const port = await freePort();
  const server = `https://127.0.0.1:${port}`;
  const child = spawn(
    program,
    [
      '--bind-address=127.0.0.1',
      '--advertise-address=192.0.2.10',
      '--endpoint-reconciler-type=none',
      `--secure-port=${port}`,
      `--cert-dir=${folder}`,
      '--authorization-mode=Node,RBAC',
      '--enable-bootstrap-token-auth',
      '--allow-privileged=true',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${await file('sa.pub', keys.publicKey)}`,
      `--service-account-signing-key-file=${await file('sa.key', keys.privateKey)}`,
      `--client-ca-file=${await file('ca.crt', ca.certificate)}`,
      `--tls-cert-file=${await file('apiserver.crt', serving.certificate)}`,
      `--tls-private-key-file=${await file('apiserver.key', serving.key)}`,
      `--etcd-servers=https://${etcd.endpoint}`,
      `--etcd-prefix=/${identity.schema}`,
      '--etcd-compaction-interval=0',
      `--etcd-cafile=${await file('etcd-ca.crt', etcd.ca.certificate)}`,
      `--etcd-certfile=${await file('etcd.crt', etcdClient.certificate)}`,
      `--etcd-keyfile=${await file('etcd.key', etcdClient.key)}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const log: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => {
    log.push(chunk);
    if (log.length > 200) log.shift();
  });

  const kubeconfig = async (groups: readonly string[]): Promise<string> => {
    const name = `${groups.join('_').replaceAll(/[^a-z_-]/g, '-')}.conf`;
    const existing = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (existing !== undefined) return join(folder, name);
    const client = await issueCertificate(
      authority,
      { subject: { commonName: 'somebody', organizations: [...groups] }, usages: ['client'] },
      now,
    );
    const config = newKubeconfig({
      clusterName: 't1',
      server,
      caCertificate: ca.certificate,
      userName: 'somebody',
      client,
    });
    return file(name, kubeconfigText(config));
  };
  const tenant: TenantApiServer = {
    port,
    ca,
    kubeconfig,
    kubectl: async (groups, args, input) =>
      run(kubectl, ['--kubeconfig', await kubeconfig(groups), `--cache-dir=${join(folder, 'cache')}`, ...args], {
        ...(input !== undefined && { input }),
      }),
    remove: async () => {
      if (child.exitCode === null) {
        const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
        await exited;
        clearTimeout(timer);
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await eventually(
      'the kube-apiserver to be ready',
      async () => {
        if (child.exitCode !== null)
          throw new Error(`it exited with ${child.exitCode}: ${Buffer.concat(log).toString()}`);
        const answer = await tenant.kubectl(['system:masters'], ['get', '--raw', '/readyz']);
        if (answer.code !== 0) throw new Error(answer.stderr);
        return true;
      },
      { timeoutMs: 60_000 },
    );
  } catch (error) {
    await tenant.remove();
    throw error;
  }
  return tenant;
}
