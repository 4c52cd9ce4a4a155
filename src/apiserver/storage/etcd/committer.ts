import { EtcdCallError } from '../../../etcdclient/call-error.ts';
import type { EtcdClient } from '../../../etcdclient/client.ts';
import type { Compare, KeyValue, RequestOp, TxnRequest } from '../../../etcdclient/rpc.ts';
import { ClaimTakenError, KeyExistsError, RevisionMismatchError, StorageFailedError, type Write } from '../storage.ts';
import { toItem, type ItemWithClaims } from './changes.ts';
import { toStorageError } from './failures.ts';
import type { KnownClaims } from './known-claims.ts';
import { encodeEnvelope, type EtcdLayout } from './layout.ts';

export interface CommitterDeps {
  readonly client: EtcdClient;
  readonly layout: EtcdLayout;
  readonly known: KnownClaims;
}

/** A write with what it does to claims. */
export interface ClaimChanges {
  /** All that the key holds afterwards. */
  readonly kept: readonly string[];
  readonly added: readonly string[];
  readonly released: readonly string[];
}

/** Carries out one write. @throws what `Storage.commit` throws */
export interface Committer {
  commit(write: Write): Promise<{ readonly revision: number }>;
}

/** How often a write whose claims nobody holds is tried. */
const MAX_ROUNDS = 8;

/**
 * Writes a key and its claims in one transaction. The claims that the key gives up are those of the revision that it replaces; since
 * they are part of its value and the transaction compares that revision, no other replica can have changed them.
 */
export class TransactionCommitter implements Committer {
  readonly #deps: CommitterDeps;

  constructor(deps: CommitterDeps) {
    this.#deps = deps;
  }

  async commit(write: Write): Promise<{ readonly revision: number }> {
    const { known } = this.#deps;
    const changes = await claimChanges(this.#deps, write);
    /** Claims that this key holds already, though its value does not say so. */
    let own: readonly string[] = [];
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const outcome = await sendWrite(this.#deps, write, this.#transaction(write, changes, own), changes);
      if (outcome.done) {
        if (write.value === undefined) known.forget(write.key);
        else known.note(write.key, outcome.revision, changes.kept);
        return { revision: outcome.revision };
      }
      // Nobody else has them: somebody gave a claim up just now, or it is our own.
      own = this.#ownClaims(write, changes, outcome.found);
    }
    throw new StorageFailedError('unavailable', 'a claim is taken and given up all the time');
  }

  #transaction(write: Write, { kept, added, released }: ClaimChanges, own: readonly string[]): TxnRequest {
    const { layout } = this.#deps;
    const key = layout.objectKey(write.key);
    const holder = Buffer.from(write.key);
    const compare: Compare[] = [{ key, target: 'MOD', result: 'EQUAL', modRevision: write.expectedRevision }];
    const success: RequestOp[] = [
      write.value === undefined
        ? { requestDeleteRange: { key } }
        : { requestPut: { key, value: Buffer.from(encodeEnvelope({ value: write.value, claims: kept })) } },
    ];
    const failure: RequestOp[] = [{ requestRange: { key } }];
    for (const claim of added) {
      const claimKey = layout.claimKey(claim);
      compare.push(
        own.includes(claim)
          ? { key: claimKey, target: 'VALUE', result: 'EQUAL', value: holder }
          : { key: claimKey, target: 'VERSION', result: 'EQUAL', version: 0 },
      );
      if (!own.includes(claim)) success.push({ requestPut: { key: claimKey, value: holder } });
      failure.push({ requestRange: { key: claimKey } });
    }
    for (const claim of released) success.push({ requestDeleteRange: { key: layout.claimKey(claim) } });
    return { compare, success, failure };
  }

  /** Which added claims turned out to be this key's own. @throws KeyExistsError, RevisionMismatchError, ClaimTakenError */
  #ownClaims(write: Write, { added }: ClaimChanges, found: readonly (KeyValue | undefined)[]): readonly string[] {
    refuseOtherRevision(this.#deps, write, found[0]);
    return added.filter((claim, index) => {
      const holder = found[index + 1]?.value.toString();
      if (holder !== undefined && holder !== write.key) throw new ClaimTakenError(claim, holder);
      return holder === write.key;
    });
  }
}

/** What a write does to claims, as of the revision that it replaces. @throws KeyExistsError, RevisionMismatchError */
export async function claimChanges(deps: CommitterDeps, write: Write): Promise<ClaimChanges> {
  const held = write.expectedRevision === 0 ? [] : await heldClaims(deps, write);
  const kept = write.value === undefined ? [] : [...new Set(write.claims ?? held)];
  return {
    kept,
    added: kept.filter((claim) => !held.includes(claim)),
    released: held.filter((claim) => !kept.includes(claim)),
  };
}

async function heldClaims(deps: CommitterDeps, write: Write): Promise<readonly string[]> {
  const known = deps.known.at(write.key, write.expectedRevision);
  if (known !== undefined) return known;
  const current = await readItem(deps, write.key);
  refuseOtherRevision(deps, write, current);
  return deps.known.at(write.key, write.expectedRevision) ?? [];
}

/** @throws StorageFailedError */
export async function readItem({ client, layout }: CommitterDeps, key: string): Promise<KeyValue | undefined> {
  try {
    return (await client.call('KV.Range', { key: layout.objectKey(key) })).kvs[0];
  } catch (error) {
    throw toStorageError(error);
  }
}

/** @throws KeyExistsError, RevisionMismatchError */
export function refuseOtherRevision(deps: CommitterDeps, write: Write, found: KeyValue | undefined): void {
  const current = found === undefined ? undefined : noted(deps, found);
  if ((current?.item.revision ?? 0) === write.expectedRevision) return;
  if (write.expectedRevision === 0) throw new KeyExistsError(`${write.key} exists already`);
  throw new RevisionMismatchError(current?.item);
}

function noted({ layout, known }: CommitterDeps, found: KeyValue): ItemWithClaims {
  const read = toItem(layout, found);
  known.note(read.item.key, read.item.revision, read.claims);
  return read;
}

export type WriteOutcome =
  | { readonly done: true; readonly revision: number }
  /** Nothing was written: what the ranges of the transaction's failure branch found. */
  | { readonly done: false; readonly found: readonly (KeyValue | undefined)[] };

/** How often a write is sent whose answer got lost. */
const MAX_SENDS = 3;

/**
 * Sends a transaction that compares the revision of one key. When the answer is lost, nobody knows whether it was carried out; an update
 * may then be sent again, since the comparison lets it happen only once, and our own value shows that it has. A create or delete
 * is not: somebody may have undone it meanwhile.
 * @throws StorageFailedError; `unavailable` when it may or may not have happened
 */
export async function sendWrite(
  deps: CommitterDeps,
  write: Write,
  request: TxnRequest,
  { kept }: Pick<ClaimChanges, 'kept'>,
): Promise<WriteOutcome> {
  const { client } = deps;
  let lost: EtcdCallError | undefined;
  for (let sends = 1; ; sends++) {
    try {
      const answer = await client.call('KV.Txn', request, { retry: 'unsent' });
      if (answer.succeeded) return { done: true, revision: answer.header.revision };
      const found = answer.responses.map(({ responseRange }) => responseRange?.kvs[0]);
      if (lost === undefined) return { done: false, found };
      const revision = ourRevision(write, kept, found[0]);
      if (revision !== undefined) return { done: true, revision };
      throw ambiguous(lost);
    } catch (error) {
      if (!(error instanceof EtcdCallError) || !isAmbiguous(error)) throw toStorageError(error);
      lost = error;
      if (sends >= MAX_SENDS) throw ambiguous(error);
      if (write.value !== undefined && write.expectedRevision > 0) continue;
      const revision = ourRevision(write, kept, await readItem(deps, write.key).catch(() => undefined));
      if (revision !== undefined) return { done: true, revision };
      throw ambiguous(error);
    }
  }
}

function ourRevision(write: Write, kept: readonly string[], found: KeyValue | undefined): number | undefined {
  if (found === undefined || write.value === undefined || found.modRevision <= write.expectedRevision) return undefined;
  const ours = Buffer.from(encodeEnvelope({ value: write.value, claims: kept }));
  return found.value.equals(ours) ? found.modRevision : undefined;
}

/** Whether the write may have happened all the same. */
function isAmbiguous(error: EtcdCallError): boolean {
  return error.tryNext && !error.notSent;
}

function ambiguous(cause: EtcdCallError): StorageFailedError {
  return new StorageFailedError('unavailable', `${cause.endpoint}: the answer to a write was lost`, { cause });
}
