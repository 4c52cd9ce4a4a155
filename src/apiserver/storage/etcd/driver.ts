import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/log.ts';
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
}

const CREDENTIALS_CHECK_MS = 30_000;

/** Opens `etcd:` with `options.etcd`. @throws TypeError, StorageFailedError */
export async function openEtcdStorage(url: string, options: StorageDriverOptions): Promise<Storage> {
  const { etcd, log = silentLogger, clock = systemClock } = options;
  if (url !== 'etcd:' || etcd === undefined) throw new TypeError('an etcd is named by --etcd-servers');
  const servers = etcd.servers.map(parseEtcdServer);
  const prefix = etcd.prefix.replace(/\/+$/, '');
  const credentials = await readCredentials(etcd);
  const client = newClient(servers, credentials);
  const storage = await EtcdStorage.open({
    client,
    prefix,
    clock,
    log,
    compactMs: etcd.compactionIntervalMs,
  });
  const closed = new AbortController();
  const watching = watchCredentials(
    etcd,
    credentials,
    {
      clock,
      log,
      checkMs: CREDENTIALS_CHECK_MS,
      onChange(next) {
        client.useCredentials(next);
        storage.reconnect();
      },
    },
    closed.signal,
  );
  return onClose(storage, async () => {
    closed.abort();
    await watching;
  });
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
  if (!plain) throw new TypeError('each server must be like https://etcd-0.example.org:2379, http://... or unix:///path');
  const fallback = url.protocol === 'https:' ? 443 : 80;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { address: { host, port: url.port === '' ? fallback : Number(url.port) }, secure: url.protocol === 'https:' };
}

function onClose(storage: Storage, before: () => Promise<void>): Storage {
  return {
    currentRevision: () => storage.currentRevision(),
    get: (key) => storage.get(key),
    list: (prefix, options) => storage.list(prefix, options),
    commit: (write) => storage.commit(write),
    watch: (prefix, afterRevision, signal) => storage.watch(prefix, afterRevision, signal),
    requestProgress: () => storage.requestProgress(),
    async close() {
      await before();
      await storage.close();
    },
  };
}
