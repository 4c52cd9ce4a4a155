import type { KeyValue, WatchEvent } from '../../../etcdclient/rpc.ts';
import type { Change } from '../history.ts';
import { CompactedError, type StoredItem } from '../storage.ts';
import { decodeEnvelope, type EtcdLayout } from './layout.ts';

export interface ChangeWithClaims {
  readonly change: Change;
  /** Of the key after the change. */
  readonly claims: readonly string[];
}

/** @throws CompactedError when etcd no longer knows what the change replaced */
export function toChange(layout: EtcdLayout, { type, kv, prevKv }: WatchEvent): ChangeWithClaims {
  const key = layout.keyOf(kv.key);
  const revision = kv.modRevision;
  const previous = prevKv === null ? undefined : decodeEnvelope(prevKv.value.toString()).value;
  if (type === 'DELETE') {
    if (previous === undefined) throw forgotten(revision);
    return { change: Object.freeze({ type: 'delete', key, previous, revision }), claims: [] };
  }
  // k8s.io/apiserver/pkg/storage/etcd3/event.go, parseEvent: a change without its past is no change that can be told.
  if (previous === undefined && kv.createRevision !== kv.modRevision) throw forgotten(revision);
  const { value, claims } = decodeEnvelope(kv.value.toString());
  return { change: Object.freeze({ type: 'put', key, value, previous, revision }), claims };
}

function forgotten(revision: number): CompactedError {
  return new CompactedError(`what the change at revision ${revision} replaced is no longer in the history`);
}

export interface ItemWithClaims {
  readonly item: StoredItem;
  readonly claims: readonly string[];
}

export function toItem(layout: EtcdLayout, kv: KeyValue): ItemWithClaims {
  const { value, claims } = decodeEnvelope(kv.value.toString());
  return { item: { key: layout.keyOf(kv.key), value, revision: kv.modRevision }, claims };
}
