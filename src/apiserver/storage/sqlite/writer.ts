import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Write } from '../storage.ts';
import type { CommitOutcome, CommitRequest, CompactOutcome, CompactRequest } from './protocol.ts';
import { toStorageFailure } from './sqlite-error.ts';

/** Applies writes to the one writing connection. Synchronous; knows no threads. */
export class Writer {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #statements: Statements;
  #revision: number;

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
    this.#statements = prepare(db);
    this.#revision = this.#storedRevision();
  }

  get revision(): number {
    return this.#revision;
  }

  /**
   * One transaction, so one wait for the disk, for many commits; each of them still happens wholly or not at all.
   * Never throws: a failure of the group is the outcome of each commit in it.
   */
  applyGroup(group: readonly CommitRequest[]): CommitOutcome[] {
    const before = this.#revision;
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const outcomes = group.map((request) => this.#applyOne(request));
      if (this.#revision !== before) {
        this.#statements.setRevision.run(this.#revision);
      }
      this.#db.exec('COMMIT');
      return outcomes;
    } catch (error) {
      this.#revision = before;
      const failed = this.#rollback(error);
      return group.map(({ id }) => ({ ...failed, id }));
    }
  }

  /**
   * Forgets the oldest history: at most `limit` rows that are older than `olderThanMs` or beyond the newest `keep`.
   * Small slices keep the writes that wait behind it quick.
   */
  compact(request: CompactRequest): CompactOutcome {
    const { id, olderThanMs, keep, limit } = request;
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const overflow = this.#revision - keep;
      let upTo = 0;
      let removed = 0;
      for (const row of this.#statements.oldestHistory.all(limit)) {
        const revision = Number(row['revision']);
        if (Number(row['time_ms']) >= olderThanMs && revision > overflow) {
          break;
        }
        upTo = revision;
        removed += 1;
      }
      if (removed > 0) {
        this.#statements.deleteHistory.run(upTo);
        this.#statements.setCompacted.run(upTo);
      }
      this.#db.exec('COMMIT');
      return { id, type: 'compacted', compacted: upTo, removed };
    } catch (error) {
      return { ...this.#rollback(error), id };
    }
  }

  #applyOne({ id, timeMs, write }: CommitRequest): CommitOutcome {
    const row = this.#statements.current.get(write.key);
    const current = row && { key: write.key, value: String(row['value']), revision: Number(row['revision']) };
    if (current !== undefined && write.expectedRevision === 0) {
      return { id, type: 'exists' };
    }
    if (write.expectedRevision !== (current?.revision ?? 0)) {
      return { id, type: 'mismatch', current };
    }
    const claims = write.value === undefined ? [] : write.claims;
    for (const claim of claims ?? []) {
      const holder = this.#statements.claimHolder.get(claim)?.['key'];
      if (holder !== undefined && holder !== write.key) {
        return { id, type: 'claimed', claim, holder: String(holder) };
      }
    }
    const revision = this.#revision + 1;
    this.#db.exec('SAVEPOINT one');
    try {
      this.#write(write, revision, timeMs, current);
      if (claims !== undefined) {
        this.#setClaims(write.key, claims);
      }
      this.#db.exec('RELEASE one');
    } catch (error) {
      if (!this.#db.isTransaction) {
        throw error; // SQLite gave up the whole group (as it does when the disk is full)
      }
      this.#db.exec('ROLLBACK TO one; RELEASE one');
      return { id, ...describeFailure(error, this.#path) };
    }
    this.#revision = revision;
    return { id, type: 'done', revision, previous: current?.value };
  }

  #write(
    write: Write,
    revision: number,
    timeMs: number,
    current: { value: string; revision: number } | undefined,
  ): void {
    this.#statements.addHistory.run(revision, write.key, timeMs, current?.revision ?? null, current?.value ?? null);
    if (write.value === undefined) {
      this.#statements.remove.run(write.key);
    } else {
      this.#statements.put.run(write.key, revision, write.value);
    }
  }

  #setClaims(key: string, claims: readonly string[]): void {
    const held = new Set(this.#statements.claimsOf.all(key).map((row) => String(row['claim'])));
    for (const claim of new Set(claims)) {
      if (!held.delete(claim)) {
        this.#statements.addClaim.run(claim, key);
      }
    }
    for (const claim of held) {
      this.#statements.removeClaim.run(claim);
    }
  }

  #rollback(error: unknown) {
    const failed = describeFailure(error, this.#path);
    if (this.#db.isTransaction) {
      this.#db.exec('ROLLBACK');
    }
    return failed;
  }

  #storedRevision(): number {
    return Number(this.#db.prepare('SELECT revision FROM state').get()!['revision']);
  }
}

function describeFailure(error: unknown, path: string) {
  const { failure, message } = toStorageFailure(error, path);
  return { type: 'failed', failure, message } as const;
}

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

const SQL = {
  current: 'SELECT revision, value FROM current WHERE key = ?',
  put: `INSERT INTO current(key, revision, value) VALUES (?, ?, ?)
        ON CONFLICT(key) DO UPDATE SET revision = excluded.revision, value = excluded.value`,
  remove: 'DELETE FROM current WHERE key = ?',
  addHistory: 'INSERT INTO history(revision, key, time_ms, previous_revision, previous) VALUES (?, ?, ?, ?, ?)',
  oldestHistory: 'SELECT revision, time_ms FROM history ORDER BY revision LIMIT ?',
  deleteHistory: 'DELETE FROM history WHERE revision <= ?',
  setCompacted: 'UPDATE state SET compacted = ?',
  setRevision: 'UPDATE state SET revision = ?',
  claimHolder: 'SELECT key FROM claims WHERE claim = ?',
  claimsOf: 'SELECT claim FROM claims WHERE key = ?',
  addClaim: 'INSERT INTO claims(claim, key) VALUES (?, ?)',
  removeClaim: 'DELETE FROM claims WHERE claim = ?',
} as const;

function prepare(db: DatabaseSync): Statements {
  return Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)])) as Statements;
}
