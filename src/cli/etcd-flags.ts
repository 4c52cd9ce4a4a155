import { parseEtcdServer, type EtcdConfig } from '../apiserver/storage/etcd/driver.ts';
import { readDuration } from './duration.ts';
import { UsageError } from './usage-error.ts';

type EtcdFlag =
  | 'etcd-servers'
  | 'etcd-prefix'
  | 'etcd-cafile'
  | 'etcd-certfile'
  | 'etcd-keyfile'
  | 'etcd-username'
  | 'etcd-password-file'
  | 'etcd-compaction-interval';

/** Where etcd is and who we are there; undefined without --etcd-servers. @throws UsageError naming the flag, never a value that may be secret */
export function readEtcdFlags(text: (name: EtcdFlag) => string | undefined): EtcdConfig | undefined {
  const given = (name: EtcdFlag): string | undefined => (text(name) === '' ? undefined : text(name));
  const [caFile, certFile, keyFile] = [given('etcd-cafile'), given('etcd-certfile'), given('etcd-keyfile')];
  const [username, passwordFile] = [given('etcd-username'), given('etcd-password-file')];
  const servers = given('etcd-servers')?.split(',');
  if (servers === undefined) {
    if ([caFile, certFile, keyFile, username, passwordFile].some((value) => value !== undefined)) {
      throw new UsageError('--etcd-servers must be given together with the other --etcd flags');
    }
    return undefined;
  }
  let secure = false;
  for (const server of servers) {
    try {
      secure = parseEtcdServer(server).secure || secure;
    } catch (error) {
      if (error instanceof TypeError) throw new UsageError(`--etcd-servers: ${error.message}`);
      throw error;
    }
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new UsageError('--etcd-certfile and --etcd-keyfile must be given together');
  }
  if (!secure && (caFile !== undefined || certFile !== undefined)) {
    throw new UsageError('--etcd-servers must be https where there are certificates');
  }
  if ((username === undefined) !== (passwordFile === undefined)) {
    throw new UsageError('--etcd-username and --etcd-password-file must be given together');
  }
  const prefix = text('etcd-prefix') ?? '';
  if (!/^(\/[A-Za-z0-9._@-]+)+\/?$/.test(prefix)) {
    throw new UsageError(`--etcd-prefix must be like /kamaji-registry, not ${prefix}`);
  }
  const interval = readDuration('etcd-compaction-interval', text('etcd-compaction-interval') ?? '');
  if (interval > 0 && interval < 10_000) {
    throw new UsageError('--etcd-compaction-interval must be 0s or at least 10s');
  }
  return { servers, prefix, caFile, certFile, keyFile, username, passwordFile, compactionIntervalMs: interval };
}
