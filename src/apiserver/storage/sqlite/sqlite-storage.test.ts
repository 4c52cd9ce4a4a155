import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync, readFileSync, existsSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../../base/fake-clock.ts';
import { storageConformance, type ConformanceStore } from '../conformance.ts';
import { openStorage } from '../drivers.ts';
import { CompactedError, StorageFailedError } from '../storage.ts';
import { openWriter } from './schema.ts';
import { SqliteStorage, type SqliteStorageOptions } from './sqlite-storage.ts';

let directory: string;
let opened: SqliteStorage[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'storage-'));
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map((storage) => storage.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function open(options: Partial<SqliteStorageOptions> = {}): Promise<SqliteStorage> {
  const storage = await SqliteStorage.open({ path: join(directory, 'test.db'), ...options });
  opened.push(storage);
  return storage;
}

describe('conformance', () => {
  async function openStore(): Promise<ConformanceStore> {
    const clock = new FakeClock();
    const storage = await open({ clock, historyMs: 60_000 });
    return {
      storage,
      reopen: async () => {
        await storage.close();
        return openStore();
      },
      compact: async () => {
        await clock.advance(60_001);
        await storage.compact();
      },
    };
  }

  for (const { name, run } of storageConformance) {
    test(name, () => run({ open: openStore }));
  }
});

describe('history', () => {
  test('is bounded by age', async () => {
    const clock = new FakeClock();
    const storage = await open({ clock, historyMs: 5000, compactMs: 1000 });
    const old = await storage.commit({ key: '/a', value: '1', expectedRevision: 0 });
    await clock.advance(4000);
    const young = await storage.commit({ key: '/a', value: '2', expectedRevision: old.revision });
    await clock.advance(2000);
    await storage.compact();
    await expect(storage.list('/', { atRevision: old.revision - 1 })).rejects.toThrow(CompactedError);
    expect((await storage.list('/', { atRevision: old.revision })).items).toMatchObject([{ value: '1' }]);
    await clock.advance(10_000);
    await storage.compact();
    await expect(storage.list('/', { atRevision: old.revision })).rejects.toThrow(CompactedError);
    expect((await storage.list('/', { atRevision: young.revision })).items).toMatchObject([{ value: '2' }]);
  });

  test('is bounded by count, in more slices than one', async () => {
    const storage = await open({ historyWrites: 100 });
    await Promise.all(
      Array.from({ length: 1300 }, (_, n) => storage.commit({ key: `/${n}`, value: 'x', expectedRevision: 0 })),
    );
    const revision = await storage.currentRevision();
    await storage.compact();
    expect((await storage.list('/', { atRevision: revision - 100 })).items).toHaveLength(1200);
    await expect(storage.list('/', { atRevision: revision - 101 })).rejects.toThrow(CompactedError);
  });

  test('compaction happens by itself', async () => {
    const clock = new FakeClock();
    const storage = await open({ clock, historyMs: 5000, compactMs: 1000 });
    const { revision } = await storage.commit({ key: '/a', value: '1', expectedRevision: 0 });
    await expect
      .poll(async () => {
        await clock.advance(1000);
        return storage.list('/', { atRevision: revision - 1 }).then(
          () => 'kept',
          (error: Error) => error.name,
        );
      })
      .toBe('CompactedError');
  });

  test('any sequence of writes can be listed and watched from any revision', async () => {
    const operation = fc.record({
      key: fc.constantFrom('/a/1', '/a/2', '/b/1', '/a'),
      remove: fc.boolean(),
      group: fc.boolean(),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 30 }), async (operations) => {
        run += 1;
        const storage = await open({ path: join(directory, `${run}.db`), maxQueuedChanges: 3 });
        // The model: the whole state after each revision.
        const states = new Map<number, ReadonlyMap<string, { value: string; revision: number }>>([[1, new Map()]]);
        let state = new Map<string, { value: string; revision: number }>();
        const live = storage.watch('/a/', 1, AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
        const liveSeen = [];
        for (const [n, { key, remove, group }] of operations.entries()) {
          const expectedRevision = state.get(key)?.revision ?? 0;
          if (remove && expectedRevision === 0) {
            continue;
          }
          const noise = group ? storage.commit({ key: `/noise/${n}`, value: 'x', expectedRevision: 0 }) : undefined;
          const { revision } = await storage.commit({ key, value: remove ? undefined : `v${n}`, expectedRevision });
          await noise;
          state = new Map(state);
          if (remove) {
            state.delete(key);
          } else {
            state.set(key, { value: `v${n}`, revision });
          }
          states.set(revision, state);
        }
        const under = (at: ReadonlyMap<string, { value: string; revision: number }>) =>
          [...at]
            .filter(([key]) => key.startsWith('/a/'))
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, item]) => ({ key, ...item }));
        const changes = [];
        let before = states.get(1)!;
        for (const [revision, after] of [...states].slice(1)) {
          expect((await storage.list('/a/', { atRevision: revision })).items).toEqual(under(after));
          for (const key of new Set([...before.keys(), ...after.keys()])) {
            const [old, now] = [before.get(key), after.get(key)];
            if (key.startsWith('/a/') && old?.revision !== now?.revision) {
              changes.push(
                now === undefined
                  ? { type: 'delete', key, previous: old!.value, revision }
                  : { type: 'put', key, value: now.value, previous: old?.value, revision },
              );
            }
          }
          before = after;
        }
        for (const from of states.keys()) {
          const expected = changes.filter(({ revision }) => revision > from);
          const watch = storage.watch('/a/', from, AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
          for (const change of expected) {
            expect((await watch.next()).value).toEqual(change);
          }
          await watch.return?.();
        }
        while (liveSeen.length < changes.length) {
          liveSeen.push((await live.next()).value);
        }
        expect(liveSeen).toEqual(changes);
        await storage.close();
      }),
      { numRuns: 15, seed: 7 },
    );
  });

  test('five hundred watchers of one prefix all get every change', async () => {
    const storage = await open({ maxQueuedChanges: 50 });
    const controller = new AbortController();
    const counts = Array.from({ length: 500 }, async () => {
      const seen: number[] = [];
      for await (const event of storage.watch('/w/', 1, controller.signal)) {
        if (event.type !== 'progress' && seen.push(event.revision) === 300) {
          return seen;
        }
      }
      throw new Error('the watch ended early');
    });
    await Promise.all(
      Array.from({ length: 300 }, (_, n) => storage.commit({ key: `/w/${n}`, value: 'x', expectedRevision: 0 })),
    );
    const expected = Array.from({ length: 300 }, (_, n) => n + 2);
    for (const seen of await Promise.all(counts)) {
      expect(seen).toEqual(expected);
    }
    controller.abort();
  });
});

describe('the file', () => {
  test('belongs to one store at a time, in this process and in others', async () => {
    const storage = await open();
    const inUse = {
      name: 'StorageFailedError',
      failure: 'in-use',
      message: expect.stringContaining('in use by another process'),
    };
    await expect(open()).rejects.toMatchObject(inUse);
    const script = `
      import { SqliteStorage } from ${JSON.stringify(new URL('./sqlite-storage.ts', import.meta.url).href)};
      await SqliteStorage.open({ path: ${JSON.stringify(join(directory, 'test.db'))} }).then(
        async (storage) => { console.log('opened'); await storage.close(); }, (error) => console.log(error.failure));`;
    const tryInChild = async () => {
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', script]);
      return stdout.trim();
    };
    expect(await tryInChild()).toBe('in-use');
    // The failed attempts have not loosened the lock.
    await storage.commit({ key: '/a', value: '1', expectedRevision: 0 });
    expect(await tryInChild()).toBe('in-use');
    await storage.close();
    expect(await tryInChild()).toBe('opened');
  });

  test('is readable by its owner alone, its companions too', async () => {
    writeFileSync(join(directory, 'test.db'), '', { mode: 0o644 });
    const storage = await open();
    await storage.commit({ key: '/a', value: '1', expectedRevision: 0 });
    for (const name of ['test.db', 'test.db-wal', 'test.db-shm', 'test.db.lock']) {
      expect([name, statSync(join(directory, name)).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  test('makes its directory', async () => {
    const storage = await openStorage(`sqlite://${join(directory, 'deep', 'er', 'kamaji.db')}`);
    expect(await storage.currentRevision()).toBe(1);
    await storage.close();
  });

  test('that is no database is refused and left as it is', async () => {
    writeFileSync(join(directory, 'test.db'), 'this is a letter, not a database\n'.repeat(100));
    await expect(open()).rejects.toMatchObject({ name: 'StorageFailedError', failure: 'corrupt' });
    expect(readFileSync(join(directory, 'test.db'), 'utf8')).toMatch(/^this is a letter/);
  });

  test('of another program or of a newer version is refused', async () => {
    const path = join(directory, 'test.db');
    const foreign = new DatabaseSync(path);
    foreign.exec('CREATE TABLE songs(title TEXT)');
    foreign.close();
    await expect(open()).rejects.toMatchObject({
      failure: 'incompatible',
      message: expect.stringContaining('another program'),
    });
    rmSync(path);
    await (await open()).close();
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    await expect(open()).rejects.toMatchObject({
      failure: 'incompatible',
      message: expect.stringContaining('format 99'),
    });
  });

  test('that is damaged is refused', async () => {
    const storage = await open();
    await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        storage.commit({ key: `/${n}`, value: 'x'.repeat(1000), expectedRevision: 0 }),
      ),
    );
    await storage.close();
    const path = join(directory, 'test.db');
    const content = readFileSync(path);
    content.fill(0xa5, 8192, 40_960);
    writeFileSync(path, content);
    await expect(open()).rejects.toMatchObject({ failure: 'corrupt', message: expect.stringContaining('damaged') });
    truncateSync(path, 5000);
    await expect(open()).rejects.toMatchObject({ failure: 'corrupt' });
  });

  test('in a directory that cannot be made is refused with its name', async () => {
    writeFileSync(join(directory, 'file'), '');
    const path = join(directory, 'file', 'test.db');
    await expect(open({ path })).rejects.toMatchObject({
      failure: 'unavailable',
      message: expect.stringContaining(path),
    });
  });

  test('is copied while it is in use', async () => {
    const storage = await open();
    for (let n = 0; n < 50; n += 1) {
      await storage.commit({ key: `/${n}`, value: String(n), expectedRevision: 0, claims: [`c${n}`] });
    }
    const revision = await storage.currentRevision();
    const target = join(directory, 'copy.db');
    const state = { busy: true };
    const writing = (async () => {
      for (let n = 0; state.busy; n += 1) {
        await storage.commit({ key: `/later/${n}`, value: 'x', expectedRevision: 0 });
      }
    })();
    await storage.backup(target);
    state.busy = false;
    await writing;
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(existsSync(`${target}.partial`)).toBe(false);
    await expect(storage.backup(target)).rejects.toThrow(StorageFailedError);
    const copy = await open({ path: target });
    expect(await copy.currentRevision()).toBeGreaterThanOrEqual(revision);
    expect((await copy.list('/', { atRevision: revision })).items).toEqual(
      (await storage.list('/', { atRevision: revision })).items,
    );
  });

  test.each(['sqlite:relative.db', 'sqlite://host/x.db', 'sqlite:///x.db?mode=ro', 'sqlite:///', 'etcd://x', '', 'x'])(
    'the URL %j is refused',
    async (url) => {
      await expect(openStorage(url)).rejects.toThrow(TypeError);
    },
  );
});

test('what is acknowledged has been synchronised: the log is flushed with each commit', async () => {
  const db = openWriter(join(directory, 'pragma.db'));
  // 2 is FULL; NORMAL would leave the last commits to the operating system.
  expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
  expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  db.close();
});

test('a full disk fails writes, loses and half-writes nothing, and writing goes on when there is space', async () => {
  const script = `
    import { existsSync, rmSync, writeFileSync } from 'node:fs';
    import { SqliteStorage } from ${JSON.stringify(new URL('./sqlite-storage.ts', import.meta.url).href)};
    const storage = await SqliteStorage.open({ path: process.argv[1] + '/test.db' });
    const fate = new Map();
    const failures = new Set();
    const write = (n) =>
      storage.commit({ key: '/' + n, value: 'x'.repeat(20_000), expectedRevision: 0, claims: ['c' + n] }).then(
        ({ revision }) => fate.set('/' + n, revision),
        (error) => { fate.set('/' + n, 0); failures.add(error.name + ' ' + error.failure); },
      );
    let n = 0;
    while (failures.size === 0) await Promise.all(Array.from({ length: 10 }, () => write(n++)));
    for (const { key, revision } of (await storage.list('/', {})).items)
      if (fate.get(key) !== revision) throw new Error('stored but not acknowledged: ' + key);
    const stored = new Set((await storage.list('/', {})).items.map(({ key }) => key));
    const lost = [...fate].filter(([key, revision]) => revision > 0 && !stored.has(key)).length;
    // What makes room here is that small writes fit into pages that are there already.
    const small = await storage.commit({ key: '/0', value: 'y', expectedRevision: fate.get('/0') }).then(() => 'written', String);
    await storage.close();
    console.log(JSON.stringify({ failures: [...failures], acknowledged: stored.size, lost, small }));`;
  // A limit on the size of files stands for the full disk: 4 MiB for the database and its log each.
  const limited = ['-c', 'ulimit -f 4096; exec "$0" "$@"', process.execPath];
  const { stdout } = await promisify(execFile)('bash', [
    ...limited,
    '--input-type=module-typescript',
    '-e',
    script,
    directory,
  ]);
  const result = JSON.parse(stdout) as { failures: string[]; acknowledged: number; lost: number };
  expect(result.failures).toHaveLength(1);
  expect(result.failures[0]).toMatch(/^StorageFailedError (full|unavailable)$/);
  expect(result.lost).toBe(0);
  expect(result.acknowledged).toBeGreaterThan(50);
  const storage = await open();
  expect((await storage.list('/', {})).items).toHaveLength(result.acknowledged);
  await storage.commit({ key: '/after', value: 'z', expectedRevision: 0 });
});
