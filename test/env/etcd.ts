import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateAndKey } from '../../src/pki/certificate-and-key.ts';
import { createCertificateAuthority, issueCertificate, openAuthority } from '../../src/pki/issue.ts';
import type { DataStoreConnection } from '../../src/tenancy/provisioning/datastore/driver.ts';
import { EtcdConnection } from '../../src/tenancy/provisioning/datastore/etcd/connection.ts';
import { eventually, runOk } from './run.ts';

export interface EtcdProcess {
  /** `127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly ca: CertificateAndKey;
  /** How the administrator (user root) connects. */
  readonly connection: DataStoreConnection;
  /** Connects as somebody else, by a client certificate with that CN. */
  as(user: string): Promise<EtcdConnection>;
  /** Ends it; its data stays. */
  stop(): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

/** Path of a program that hack/build-binaries has built. Throws when it is not there. */
export async function builtProgram(name: string): Promise<string> {
  const path = join((await runOk('hack/bin-dir', [])).trim(), name);
  if (!existsSync(path)) throw new Error(`${name} is not built; run: hack/build-binaries ${name}`);
  return path;
}

/** A port of 127.0.0.1 that nobody listens on just now. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject()));
    });
  });
}

/** A real etcd on 127.0.0.1 with TLS and client certificates; with authentication, unless told otherwise. */
export async function startEtcd(options: { readonly auth?: boolean } = {}): Promise<EtcdProcess> {
  const program = await builtProgram('etcd');
  const folder = await mkdtemp(join(tmpdir(), 'kamaji-etcd-'));
  const pki = join(folder, 'pki');
  await mkdir(pki);
  const now = new Date();
  const ca = await createCertificateAuthority({ subject: { commonName: 'etcd-ca' }, now });
  const authority = openAuthority(ca);
  const client = (user: string): Promise<CertificateAndKey> =>
    issueCertificate(authority, { subject: { commonName: user }, usages: ['client'] }, now);
  const serving = await issueCertificate(
    authority,
    { subject: { commonName: 'etcd' }, usages: ['server', 'client'], names: ['127.0.0.1', 'localhost'] },
    now,
  );
  await writeFile(join(pki, 'ca.crt'), ca.certificate);
  await writeFile(join(pki, 'server.crt'), serving.certificate);
  await writeFile(join(pki, 'server.key'), serving.key, { mode: 0o600 });

  const [port, peerPort] = [await freePort(), await freePort()];
  const endpoint = `127.0.0.1:${port}`;
  const connect = async (user: string): Promise<DataStoreConnection> => ({
    dataStoreName: 'test',
    driver: 'etcd',
    endpoints: [endpoint],
    tls: { caCertificate: ca.certificate, client: await client(user) },
    signingAuthority: ca,
  });
  const connection = await connect('root');
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const log = join(folder, 'etcd.log');
    const started = spawn(
      program,
      [
        `--data-dir=${join(folder, 'data')}`,
        `--listen-client-urls=https://${endpoint}`,
        `--advertise-client-urls=https://${endpoint}`,
        `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
        `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
        `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
        '--client-cert-auth',
        `--trusted-ca-file=${join(pki, 'ca.crt')}`,
        `--cert-file=${join(pki, 'server.crt')}`,
        `--key-file=${join(pki, 'server.key')}`,
        `--log-outputs=${log}`,
        '--log-level=error',
      ],
      { stdio: 'ignore' },
    );
    child = started;
    const etcd = new EtcdConnection(connection, { timeoutMs: 2_000 });
    try {
      await eventually(
        'etcd to answer',
        async () => {
          if (started.exitCode !== null) {
            throw new Error(`etcd exited with ${started.exitCode}: ${await readFile(log, 'utf8').catch(() => '')}`);
          }
          await etcd.call('Maintenance.Status', {});
          return true;
        },
        { timeoutMs: 20_000, intervalMs: 50 },
      );
    } finally {
      etcd.close();
    }
  };

  const stop = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    await new Promise<void>((resolve) => {
      running.once('exit', () => resolve());
      running.kill('SIGTERM');
    });
  };

  const remove = async (): Promise<void> => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  };

  try {
    await start();
    if (options.auth !== false) await enableAuthentication(connection);
  } catch (error) {
    await remove();
    throw error;
  }
  return { endpoint, ca, connection, as: async (user) => new EtcdConnection(await connect(user)), start, stop, remove };
}

async function enableAuthentication(connection: DataStoreConnection): Promise<void> {
  const etcd = new EtcdConnection(connection);
  try {
    await etcd.call('Auth.UserAdd', { name: 'root', options: { noPassword: true } });
    await etcd.call('Auth.RoleAdd', { name: 'root' });
    await etcd.call('Auth.UserGrantRole', { user: 'root', role: 'root' });
    await etcd.call('Auth.AuthEnable', {});
  } finally {
    etcd.close();
  }
}
