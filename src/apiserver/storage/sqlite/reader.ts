import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Change, HistorySlice } from '../history.ts';
import { prefixRange } from '../key-range.ts';
import { CompactedError, FutureRevisionError, type ListOptions, type ListResult, type StoredItem } from '../storage.ts';

/** Beyond every key: no UTF-8 text sorts above a code point that does not exist, so a blob does as the open end. */
const NO_END = new Uint8Array();

/** Reads on a connection of their own; sees only what is durable. Synchronous. */
export class Reader {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#statements = Object.fromEntries(
      Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]),
    ) as Statements;
  }

  revisions(): { readonly revision: number; readonly compacted: number } {
    const row = this.#statements.state.get()!;
    return { revision: Number(row['revision']), compacted: Number(row['compacted']) };
  }

  get(key: string): StoredItem | undefined {
    const row = this.#statements.get.get(key);
    return row && toItem(row);
  }

  /** @throws CompactedError, FutureRevisionError */
  list(prefix: string, options: ListOptions): ListResult {
    return this.#snapshot(() => {
      const { revision: newest, compacted } = this.revisions();
      const revision = options.atRevision ?? newest;
      if (revision > newest) {
        throw new FutureRevisionError(revision, newest);
      }
      if (revision < compacted) {
        throw new CompactedError(`revision ${revision} is older than the history, which begins at ${compacted}`);
      }
      const range = prefixRange(prefix);
      const bounds = { from: range.from, to: range.to ?? NO_END, after: options.afterKey ?? '' };
      const limit = options.limit ? options.limit : -1;
      if (revision === newest) {
        const items = this.#statements.list.all({ ...bounds, limit }).map(toItem);
        const remaining =
          limit > 0 && items.length === limit ? this.#count('count', { ...bounds, after: items.at(-1)!.key }) : 0;
        return { items, revision, remaining };
      }
      const items = this.#statements.listAt.all({ ...bounds, at: revision, limit }).map(toItem);
      const remaining =
        limit > 0 && items.length === limit
          ? this.#count('countAt', { ...bounds, after: items.at(-1)!.key, at: revision })
          : 0;
      return { items, revision, remaining };
    });
  }

  /**
   * The next changes under `prefix` above `after`: at most `maxChanges`, ended early once they hold `maxCharacters`.
   * @throws CompactedError
   */
  history(prefix: string, after: number, maxChanges: number, maxCharacters: number): HistorySlice {
    return this.#snapshot(() => {
      const { revision: head, compacted } = this.revisions();
      if (after < compacted) {
        throw new CompactedError(`revision ${after} is older than the history, which begins at ${compacted}`);
      }
      const range = prefixRange(prefix);
      const changes: Change[] = [];
      let characters = 0;
      for (const row of this.#statements.history.iterate({ after, from: range.from, to: range.to ?? NO_END })) {
        const change = toChange(row);
        changes.push(change);
        characters += (change.type === 'put' ? change.value.length : 0) + (change.previous?.length ?? 0);
        if (changes.length >= maxChanges || characters >= maxCharacters) {
          return { changes, completeTo: change.revision, atHead: change.revision === head };
        }
      }
      return { changes, completeTo: Math.max(after, head), atHead: true };
    });
  }

  close(): void {
    this.#db.close();
  }

  #count(statement: 'count' | 'countAt', parameters: Record<string, string | number | Uint8Array>): number {
    return Number(this.#statements[statement].get(parameters)!['n']);
  }

  /** Several statements over one state of the database. */
  #snapshot<T>(read: () => T): T {
    this.#db.exec('BEGIN');
    try {
      return read();
    } finally {
      this.#db.exec('COMMIT');
    }
  }
}

function toItem(row: Record<string, unknown>): StoredItem {
  return { key: String(row['key']), value: String(row['value']), revision: Number(row['revision']) };
}

function toChange(row: Record<string, unknown>): Change {
  const { key, value, previous } = row;
  const revision = Number(row['revision']);
  if (typeof value === 'string') {
    const before = typeof previous === 'string' ? previous : undefined;
    return Object.freeze({ type: 'put', key: String(key), value, previous: before, revision });
  }
  return Object.freeze({ type: 'delete', key: String(key), previous: String(previous), revision });
}

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

/** Keys of `current` that had not changed since, and what the first later change of each other key replaced. */
const AT = `
  SELECT key, revision, value FROM current
    WHERE key >= :from AND key < :to AND key > :after AND revision <= :at
  UNION ALL
  SELECT h.key, h.previous_revision, h.previous FROM history h
    WHERE h.key >= :from AND h.key < :to AND h.key > :after AND h.revision > :at AND h.previous IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM history e WHERE e.key = h.key AND e.revision > :at AND e.revision < h.revision)`;

const SQL = {
  state: 'SELECT revision, compacted FROM state',
  get: 'SELECT key, revision, value FROM current WHERE key = ?',
  list: `SELECT key, revision, value FROM current
         WHERE key >= :from AND key < :to AND key > :after ORDER BY key LIMIT :limit`,
  count: 'SELECT count(*) AS n FROM current WHERE key >= :from AND key < :to AND key > :after',
  listAt: `${AT} ORDER BY key LIMIT :limit`,
  countAt: `SELECT count(*) AS n FROM (${AT})`,
  // The plus signs keep the planner on the order of revisions.
  history: `SELECT h.revision, h.key, h.previous,
              CASE WHEN n.revision IS NULL THEN (SELECT c.value FROM current c WHERE c.key = h.key) ELSE n.previous END AS value
            FROM history h LEFT JOIN history n ON n.revision =
              (SELECT min(x.revision) FROM history x WHERE x.key = h.key AND x.revision > h.revision)
            WHERE h.revision > :after AND +h.key >= :from AND +h.key < :to ORDER BY h.revision`,
} as const;
