import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import { ETCD, isEtcdAnswer } from '../../../etcdclient/call-error.ts';
import type { EtcdClient } from '../../../etcdclient/client.ts';
import { toStorageError } from './failures.ts';

export interface CompactorOptions {
  readonly client: EtcdClient;
  /** The key by which replicas agree. */
  readonly key: Buffer;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long history reaches back at least; twice that at most. */
  readonly intervalMs: number;
  onCompacted(revision: number): void;
}

export interface CompactionRound {
  /** The version of the key as this replica knows it: the number of the round. */
  readonly version: number;
  /** What was current at the last round: what is older has been history for a whole interval. */
  readonly revision: number;
}

/**
 * Forgets history, one replica for all: who moves the version of the key on first compacts, the others learn of it.
 * k8s.io/apiserver/pkg/storage/etcd3/compact.go, compact.
 */
export async function compactOnce(
  { client, key, onCompacted }: Pick<CompactorOptions, 'client' | 'key' | 'onCompacted'>,
  { version, revision }: CompactionRound,
): Promise<CompactionRound> {
  const answer = await client.call(
    'KV.Txn',
    {
      compare: [{ key, target: 'VERSION', result: 'EQUAL', version }],
      success: [{ requestPut: { key, value: Buffer.from(String(revision)) } }],
      failure: [{ requestRange: { key } }],
    },
    { retry: 'unsent' },
  );
  const current = answer.header.revision;
  if (!answer.succeeded) {
    const [found] = answer.responses[0]?.responseRange?.kvs ?? [];
    // Written just before its writer compacts: at worst we forget a moment too early, and the next reader asks etcd.
    const compacted = Number(found?.value.toString());
    if (Number.isSafeInteger(compacted) && compacted > 0) onCompacted(compacted);
    return { version: found?.version ?? 0, revision: current };
  }
  if (revision > 0) await compactTo(client, revision, onCompacted);
  return { version: version + 1, revision: current };
}

/** @throws EtcdCallError */
export async function compactTo(
  client: EtcdClient,
  revision: number,
  onCompacted: (revision: number) => void,
): Promise<void> {
  try {
    await client.call('KV.Compact', { revision });
  } catch (error) {
    if (!isEtcdAnswer(error, ETCD.compacted)) throw error;
  }
  onCompacted(revision);
}

/** Compacts every interval until `signal` aborts. */
export async function runCompactor(options: CompactorOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, intervalMs } = options;
  let round: CompactionRound = { version: 0, revision: 0 };
  for (;;) {
    await clock.sleep(intervalMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      round = await compactOnce(options, round);
    } catch (error) {
      if (isEtcdAnswer(error, ETCD.permissionDenied)) {
        // etcd lets nobody but the role root compact.
        log.warn('our user may not compact history: let etcd do it with --auto-compaction-mode=periodic');
        return;
      }
      log.warn('history could not be compacted', { error: toStorageError(error) });
    }
  }
}
