import { status } from '@grpc/grpc-js';
import { EtcdCallError } from '../../../etcdclient/call-error.ts';
import type { EtcdClient } from '../../../etcdclient/client.ts';
import { StorageFailedError } from '../storage.ts';
import type { EtcdLayout } from './layout.ts';

export interface ServerAbilities {
  readonly revision: number;
  /** Whether it carries out transactions over several keys: etcd does, kine does not. */
  readonly transactions: boolean;
}

/**
 * Asks a server what it is. It is looked at rather than configured: a wrong word in a configuration would lose the atomicity of claims.
 * @throws EtcdCallError; StorageFailedError `incompatible`
 */
export async function inspectServer(client: EtcdClient, layout: EtcdLayout): Promise<ServerAbilities> {
  const { version } = await client.call('Maintenance.Status', {});
  if (!tellsProgressTruly(version)) {
    throw new StorageFailedError('incompatible', `etcd ${version} is too old: 3.4.25, 3.5.8 or newer is needed`);
  }
  const key = layout.compactKey;
  const { header } = await client.call('KV.Range', { key, keysOnly: true });
  try {
    // Reads only, in a form that kine does not know.
    const twice = [{ requestRange: { key, keysOnly: true } }, { requestRange: { key, keysOnly: true } }];
    await client.call('KV.Txn', { compare: [], success: twice, failure: [] });
    return { revision: header.revision, transactions: true };
  } catch (error) {
    const unknown = [status.INVALID_ARGUMENT, status.UNIMPLEMENTED];
    if (!(error instanceof EtcdCallError) || !unknown.includes(error.code)) throw error;
    return { revision: header.revision, transactions: false };
  }
}

/**
 * Older versions told watchers of progress before they had sent them all changes:
 * k8s.io/apiserver/pkg/storage/feature/feature_support_checker.go, defaultFeatureSupportChecker.
 */
function tellsProgressTruly(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number);
  if (major !== 3) return major > 3;
  if (minor === 4) return patch >= 25;
  if (minor === 5) return patch >= 8;
  return minor > 5;
}
