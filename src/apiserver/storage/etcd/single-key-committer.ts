import type { Clock } from '../../../base/clock.ts';
import { toStorageError } from './failures.ts';
import { EtcdCallError } from '../../../etcdclient/call-error.ts';
import type { KeyValue, TxnRequest } from '../../../etcdclient/rpc.ts';
import { ClaimTakenError, StorageFailedError, type Write } from '../storage.ts';
import { claimChanges, readItem, refuseOtherRevision, sendWrite } from './committer.ts';
import type { ClaimChanges, Committer, CommitterDeps } from './committer.ts';
import { decodeEnvelope, encodeEnvelope } from './layout.ts';

/** A claim that its key's value does not name is given up when it has been seen so, unchanged, for this long. */
const ABANDONED_MS = 60_000;
/** A write that took longer to get its claims gives up. */
const MAX_ACQUIRE_MS = 20_000;

interface Acquired {
  readonly claim: string;
  readonly revision: number;
  /** False: it was there already, as this key's own. Then it may be somebody else's write that relies on it. */
  readonly created: boolean;
}

/**
 * For servers without transactions over several keys (kine): takes the added claims first, each by a compare-and-swap of its own, then
 * writes the key, then gives up the released ones. A claim is *held* when the value of its key names it, too. One that is not is
 * being taken right now, or was left behind by a process that died: others respect it until they have watched it unchanged for a
 * minute, three times as long as any write takes to follow. A crash thus blocks a claim for a while, and never gives it to two.
 */
export class SingleKeyCommitter implements Committer {
  readonly #deps: CommitterDeps;
  readonly #clock: Clock;
  /** Claims that their holder's value did not name, and since when, by our clock. */
  readonly #doubtful = new Map<string, { readonly revision: number; readonly sinceMs: number }>();

  constructor(deps: CommitterDeps, clock: Clock) {
    this.#deps = deps;
    this.#clock = clock;
  }

  async commit(write: Write): Promise<{ readonly revision: number }> {
    const changes = await claimChanges(this.#deps, write);
    // A create that is bound to fail must not touch claims.
    if (changes.added.length > 0) refuseOtherRevision(this.#deps, write, await readItem(this.#deps, write.key));
    const beganMs = this.#clock.monotonic();
    const releasable = await this.#revisionsOf(changes.released);
    const acquired: Acquired[] = [];
    try {
      for (const claim of changes.added) acquired.push(await this.#acquire(write.key, claim));
      const revision = await this.#write(write, changes, beganMs + MAX_ACQUIRE_MS);
      await this.#release(releasable);
      return { revision };
    } catch (error) {
      // After a write that may have happened they stay: whoever wants them finds out in a minute.
      if (!(error instanceof StorageFailedError)) await this.#release(acquired.filter(({ created }) => created));
      throw error;
    }
  }

  /** Begins no attempt after `deadlineMs`, by our clock: the claims might be taken for abandoned. */
  async #write(write: Write, changes: ClaimChanges, deadlineMs: number): Promise<number> {
    const { layout, known } = this.#deps;
    const key = layout.objectKey(write.key);
    const request: TxnRequest = {
      compare: [{ key, target: 'MOD', result: 'EQUAL', modRevision: write.expectedRevision }],
      success: [
        write.value === undefined
          ? { requestDeleteRange: { key } }
          : { requestPut: { key, value: Buffer.from(encodeEnvelope({ value: write.value, claims: changes.kept })) } },
      ],
      failure: [{ requestRange: { key } }],
    };
    while (this.#clock.monotonic() < deadlineMs) {
      const outcome = await sendWrite(this.#deps, write, request, changes);
      if (outcome.done) {
        if (write.value === undefined) known.forget(write.key);
        else known.note(write.key, outcome.revision, changes.kept);
        return outcome.revision;
      }
      // kine looks after it has failed: what it shows may have come or gone meanwhile, and then nothing stands in the way any more.
      refuseOtherRevision(this.#deps, write, outcome.found[0]);
    }
    throw new StorageFailedError('unavailable', 'taking the claims of a write took too long');
  }

  /** Makes the claim this key's. @throws ClaimTakenError */
  async #acquire(holder: string, claim: string): Promise<Acquired> {
    for (;;) {
      const found = await this.#claim(claim);
      if (found === undefined) {
        const revision = await this.#swap(claim, 0, holder);
        if (revision !== undefined) return { claim, revision, created: true };
        continue;
      }
      const current = found.value.toString();
      if (current !== holder) {
        const abandoned = await this.#isAbandoned(claim, current, found.modRevision);
        if (!abandoned) throw new ClaimTakenError(claim, current);
      }
      // Also when it is ours: the new revision tells those who would give up the old one that it is wanted again.
      const revision = await this.#swap(claim, found.modRevision, holder);
      if (revision !== undefined) return { claim, revision, created: current !== holder };
    }
  }

  async #isAbandoned(claim: string, holder: string, revision: number): Promise<boolean> {
    const item = await readItem(this.#deps, holder);
    const isHeld = item !== undefined && decodeEnvelope(item.value.toString()).claims.includes(claim);
    const seen = this.#doubtful.get(claim);
    if (isHeld) {
      this.#doubtful.delete(claim);
      return false;
    }
    if (seen?.revision !== revision) {
      this.#doubtful.set(claim, { revision, sinceMs: this.#clock.monotonic() });
      return false;
    }
    return this.#clock.monotonic() - seen.sinceMs >= ABANDONED_MS;
  }

  async #revisionsOf(claims: readonly string[]): Promise<readonly Pick<Acquired, 'claim' | 'revision'>[]> {
    const found = await Promise.all(claims.map((claim) => this.#claim(claim)));
    return claims.flatMap((claim, index) => {
      const revision = found[index]?.modRevision;
      return revision === undefined ? [] : [{ claim, revision }];
    });
  }

  /** What cannot be given up now is found abandoned later. */
  async #release(claims: readonly Pick<Acquired, 'claim' | 'revision'>[]): Promise<void> {
    const { client, layout } = this.#deps;
    await Promise.all(
      claims.map(async ({ claim, revision }) => {
        const key = layout.claimKey(claim);
        try {
          await client.call(
            'KV.Txn',
            {
              compare: [{ key, target: 'MOD', result: 'EQUAL', modRevision: revision }],
              success: [{ requestDeleteRange: { key } }],
              failure: [{ requestRange: { key } }],
            },
            { retry: 'unsent' },
          );
        } catch (error) {
          if (!(error instanceof EtcdCallError)) throw error;
        }
      }),
    );
  }

  async #claim(claim: string): Promise<KeyValue | undefined> {
    const { client, layout } = this.#deps;
    try {
      return (await client.call('KV.Range', { key: layout.claimKey(claim) })).kvs[0];
    } catch (error) {
      throw toStorageError(error);
    }
  }

  /** The new revision; undefined when somebody else was faster. */
  async #swap(claim: string, expected: number, holder: string): Promise<number | undefined> {
    const { client, layout } = this.#deps;
    const key = layout.claimKey(claim);
    try {
      const answer = await client.call(
        'KV.Txn',
        {
          compare: [{ key, target: 'MOD', result: 'EQUAL', modRevision: expected }],
          success: [{ requestPut: { key, value: Buffer.from(holder) } }],
          failure: [{ requestRange: { key } }],
        },
        { retry: 'unsent' },
      );
      return answer.succeeded ? answer.header.revision : undefined;
    } catch (error) {
      throw toStorageError(error);
    }
  }
}
