/** Servers that our own store can be kept in, as real processes on 127.0.0.1. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtcdClient } from '../../src/etcdclient/client.ts';
import { createCertificateAuthority, issueCertificate, openAuthority } from '../../src/pki/issue.ts';
import type { CertificateAndKey } from '../../src/pki/certificate-and-key.ts';
import type { EtcdConfig } from '../../src/apiserver/storage/etcd/driver.ts';
import { parseEtcdServer } from '../../src/apiserver/storage/etcd/driver.ts';
import { readCredentials } from '../../src/apiserver/storage/etcd/credential-files.ts';
import { builtProgram, freePort } from './etcd.ts';
import { eventually } from './run.ts';

/**
 * `etcd`: in the clear. `etcd-secure`: TLS, client certificates, and a user with a password who may touch nothing but our keys. `kine`:
 * SQLite behind kine.
 */
export type StoreServerKind = 'etcd' | 'etcd-secure' | 'kine';

export interface StoreServer {
  readonly kind: StoreServerKind;
  /** How to reach it, with everything below `prefix`. */
  config(prefix: string): EtcdConfig;
  /** A client with these rights, or those of the administrator. The caller closes it. */
  client(who?: 'user' | 'administrator'): Promise<EtcdClient>;
  /** Of the running process. */
  pid(): number | undefined;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** On the same data and port. */
  start(): Promise<void>;
  remove(): Promise<void>;
  /** Where its files are. */
  readonly folder: string;
  /** Of `etcd-secure`: signs new certificates for the same server. */
  readonly authority: CertificateAndKey | undefined;
}

const USER = 'kamaji';
const PASSWORD = 'correct horse battery staple';
/** What `etcd-secure` lets our user touch. */
export const STORE_PREFIX = '/kamaji-test';

export interface StoreServerOptions {
  /** Further flags of the program. */
  readonly flags?: readonly string[];
  /** Of kine: its --endpoint; default: SQLite in its folder. */
  readonly endpoint?: string;
}

export async function startStoreServer(kind: StoreServerKind, options: StoreServerOptions = {}): Promise<StoreServer> {
  const program = await builtProgram(kind === 'kine' ? 'kine' : 'etcd');
  const folder = await mkdtemp(join(tmpdir(), 'kamaji-store-'));
  const [port, peerPort] = [await freePort(), await freePort()];
  const secure = kind === 'etcd-secure';
  const url = `${secure ? 'https' : 'http'}://127.0.0.1:${port}`;
  const file = (name: string): string => join(folder, name);
  const authority = secure ? await makeCredentials(folder) : undefined;

  const tlsFlags = [
    '--client-cert-auth',
    `--trusted-ca-file=${file('ca.crt')}`,
    `--cert-file=${file('server.crt')}`,
    `--key-file=${file('server.key')}`,
  ];
  const etcdFlags = [
    `--data-dir=${file('data')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
    '--log-level=error',
    ...(secure ? tlsFlags : []),
  ];
  const kineFlags = [
    `--listen-address=tcp://127.0.0.1:${port}`,
    '--metrics-bind-address=0',
    `--endpoint=${options.endpoint ?? `sqlite://${file('kine.db')}?_journal=WAL&cache=shared&_busy_timeout=30000`}`,
    '--compact-min-retain=0',
  ];
  const flags = [...(kind === 'kine' ? kineFlags : etcdFlags), ...(options.flags ?? [])];

  const config = (prefix: string): EtcdConfig => ({
    servers: [url],
    prefix,
    compactionIntervalMs: 0,
    ...(secure && {
      caFile: file('ca.crt'),
      certFile: file('client.crt'),
      keyFile: file('client.key'),
      username: USER,
      passwordFile: file('password'),
    }),
  });
  const client = async (who: 'user' | 'administrator' = 'user'): Promise<EtcdClient> => {
    const root = { caFile: file('ca.crt'), certFile: file('root.crt'), keyFile: file('root.key') };
    const files = who === 'administrator' && secure ? root : config(STORE_PREFIX);
    // kine on SQLite takes its time when thousands write at once.
    const timeoutMs = kind === 'kine' ? 60_000 : undefined;
    return new EtcdClient({
      servers: [parseEtcdServer(url)],
      credentials: await readCredentials(files),
      timeoutMs,
    });
  };

  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn(program, flags, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    let said = '';
    started.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
    const probe = new EtcdClient({
      servers: [parseEtcdServer(url)],
      credentials: { tls: (await readCredentials(config(STORE_PREFIX))).tls },
      timeoutMs: 2_000,
    });
    try {
      await eventually(
        `${kind} to answer`,
        async () => {
          if (started.exitCode !== null) throw new Error(`${kind} exited with ${started.exitCode}: ${said}`);
          await probe.call('Maintenance.Status', {});
          return true;
        },
        { timeoutMs: 20_000, intervalMs: 50 },
      );
    } finally {
      probe.close();
    }
  };
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => void running.once('exit', () => resolve()));
    running.kill(signal);
    await ended;
  };
  const remove = async (): Promise<void> => {
    await stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
    if (secure) await enableUsers(await client('administrator'));
  } catch (error) {
    await remove();
    throw error;
  }
  return { kind, config, client, pid: () => child?.pid, stop, start, remove, folder, authority };
}

async function makeCredentials(folder: string): Promise<CertificateAndKey> {
  const now = new Date();
  const ca = await createCertificateAuthority({ subject: { commonName: 'store-ca' }, now });
  const authority = openAuthority(ca);
  const names = ['127.0.0.1', 'localhost'];
  const server = await issueCertificate(
    authority,
    { subject: { commonName: 'etcd' }, usages: ['server', 'client'], names },
    now,
  );
  await writeFile(join(folder, 'ca.crt'), ca.certificate);
  await writeFile(join(folder, 'server.crt'), server.certificate);
  await writeFile(join(folder, 'server.key'), server.key, { mode: 0o600 });
  await writeFile(join(folder, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
  await writeClientCertificate(folder, ca);
  await writeClientCertificate(folder, ca, 'root');
  return ca;
}

/** Writes a new certificate for our user, or for the administrator. */
export async function writeClientCertificate(
  folder: string,
  ca: CertificateAndKey,
  who: 'client' | 'root' = 'client',
): Promise<void> {
  // The password says who we are; a certificate without a known name only opens the door.
  const subject = { commonName: who === 'root' ? 'root' : 'kamaji-api-server' };
  const issued = await issueCertificate(openAuthority(ca), { subject, usages: ['client'] }, new Date());
  await writeFile(join(folder, `${who}.crt`), issued.certificate);
  await writeFile(join(folder, `${who}.key`), issued.key, { mode: 0o600 });
}

async function enableUsers(root: EtcdClient): Promise<void> {
  try {
    await root.call('Auth.UserAdd', { name: 'root', options: { noPassword: true } });
    await root.call('Auth.RoleAdd', { name: 'root' });
    await root.call('Auth.UserGrantRole', { user: 'root', role: 'root' });
    await root.call('Auth.UserAdd', { name: USER, password: PASSWORD, options: { noPassword: false } });
    await root.call('Auth.RoleAdd', { name: USER });
    const perm = {
      permType: 'READWRITE' as const,
      key: Buffer.from(`${STORE_PREFIX}/`),
      rangeEnd: Buffer.from(`${STORE_PREFIX}0`),
    };
    await root.call('Auth.RoleGrantPermission', { name: USER, perm });
    await root.call('Auth.UserGrantRole', { user: USER, role: USER });
    await root.call('Auth.AuthEnable', {});
  } finally {
    root.close();
  }
}
