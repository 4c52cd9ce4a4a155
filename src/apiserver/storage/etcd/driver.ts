import { systemClock, type Clock } from '../../../base/clock.ts';
import { silentLogger, type Logger } from '../../../base/log.ts';
import { EtcdClient, type EtcdCredentials, type EtcdServer } from '../../../etcdclient/client.ts';
import type { StorageDriverOptions } from '../drivers.ts';
import { StorageFailedError, type Storage } from '../storage.ts';
import { readCredentials, watchCredentials, type CredentialFiles } from './credential-files.ts';
import { EtcdStorage } from './etcd-storage.ts';

/** Where our etcd is and who we are there: what kube-apiserver's --etcd-* flags say. */
export interface EtcdConfig extends CredentialFiles {
  /** `https://host:2379`, `http://...`, or `unix:///path` of a socket. */
  readonly servers: readonly string[];
  /** Begins with a slash. */
  readonly prefix: string;
  /** How long history reaches back at least; undefined: 5 min. 0: somebody else compacts. */
  readonly compactionIntervalMs?: number | undefined;
  /** How often the files are looked at; default 30 s. */
  readonly credentialsCheckMs?: number | undefined;
}

const CREDENTIALS_CHECK_MS = 30_000;
/** How long an etcd may take to come up beside us. */
const OPENING_MS = 60_000;
const OPENING_PAUSE_MS = 1_000;

/** Opens `etcd:` with `options.etcd`, and waits a while for servers that do not answer yet. @throws TypeError, StorageFailedError */
export async function openEtcdStorage(url: string, options: StorageDriverOptions): Promise<Storage> {
  const { etcd, log = silentLogger, clock = systemClock, signal } = options;
  if (url !== 'etcd:' || etcd === undefined) throw new TypeError('an etcd is named by --etcd-servers');
  const deadlineMs = clock.monotonic() + OPENING_MS;
  for (;;) {
    try {
      return await openOnce(etcd, { ...options, log, clock });
    } catch (error) {
      const maySucceed = error instanceof StorageFailedError && error.failure === 'unavailable';
      if (!maySucceed || clock.monotonic() >= deadlineMs) throw error;
      log.warn('the store does not answer yet', { error });
      await clock.sleep(OPENING_PAUSE_MS, signal);
    }
  }
}

async function openOnce(
  etcd: EtcdConfig,
  { log, clock, onFailure }: StorageDriverOptions & { readonly log: Logger; readonly clock: Clock },
): Promise<EtcdStorage> {
  const servers = etcd.servers.map(parseEtcdServer);
  const credentials = await readCredentials(etcd);
  const client = newClient(servers, credentials);
  const prefix = etcd.prefix.replace(/\/+$/, '');
  const storage = await EtcdStorage.open({
    client,
    prefix,
    clock,
    log,
    compactMs: etcd.compactionIntervalMs,
    onFailure,
  });
  const onChange = (next: EtcdCredentials): void => storage.useCredentials(next);
  const watching = { clock, log, checkMs: etcd.credentialsCheckMs ?? CREDENTIALS_CHECK_MS, onChange };
  storage.runUntilClosed((closed) => watchCredentials(etcd, credentials, watching, closed));
  return storage;
}

/** @throws StorageFailedError */
function newClient(servers: readonly EtcdServer[], credentials: EtcdCredentials): EtcdClient {
  try {
    return new EtcdClient({ servers, credentials });
  } catch {
    // OpenSSL's text is left out: it may quote what it could not read.
    throw new StorageFailedError(
      'unavailable',
      'the certificates and the key for etcd cannot be used: --etcd-cafile, --etcd-certfile, --etcd-keyfile',
    );
  }
}

/** One of --etcd-servers. @throws TypeError */
export function parseEtcdServer(text: string): EtcdServer {
  const unix = /^unix:\/\/(\/[^\0]+)$/.exec(text);
  if (unix !== null) return { address: { path: unix[1]! }, secure: false };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    url !== undefined &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.hostname !== '' &&
    url.username + url.password + url.search + url.hash === '' &&
    (url.pathname === '/' || url.pathname === '');
  // Never the text itself: there may be a password in it.
  if (!plain)
    throw new TypeError('each server must be like https://etcd-0.example.org:2379, http://... or unix:///path');
  const fallback = url.protocol === 'https:' ? 443 : 80;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { address: { host, port: url.port === '' ? fallback : Number(url.port) }, secure: url.protocol === 'https:' };
}
