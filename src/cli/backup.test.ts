import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CompactedError, StorageFailedError } from '../apiserver/storage/storage.ts';
import { SqliteStorage } from '../apiserver/storage/sqlite/sqlite-storage.ts';
import { backup, restore } from './backup.ts';
import { UsageError } from './usage-error.ts';

class Sink extends Writable {
  readonly chunks: Buffer[] = [];
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(Buffer.from(chunk));
    done();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

let folder: string;
let path: string;
let url: string;
const quiet = () => ({ out: new Sink(), report: new Sink() });
const open = (): Promise<SqliteStorage> => SqliteStorage.open({ path, compactMs: 0, progressMs: 0 });
const put = async (storage: SqliteStorage, name: string): Promise<number> => {
  const write = {
    key: `/example.com/pebbles/default/${name}`,
    value: `{"name":"${name}"}`,
    expectedRevision: 0,
    claims: [name],
  };
  return (await storage.commit(write)).revision;
};
const names = async (storage: SqliteStorage): Promise<readonly string[]> =>
  (await storage.list('/example.com/', {})).items.map(({ value }) => (JSON.parse(value) as { name: string }).name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kamaji-backup-'));
  path = join(folder, 'kamaji.db');
  url = `sqlite://${path}`;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('backup', () => {
  test('copies a store that is in use, for its owner alone', async () => {
    const storage = await open();
    await put(storage, 'a');
    const to = join(folder, 'copy');
    expect(await backup({ storage: url, to }, quiet())).toBe(0);
    await put(storage, 'b');
    await storage.close();
    expect((await stat(to)).mode & 0o777).toBe(0o600);
    const copy = await SqliteStorage.open({ path: to });
    expect(await names(copy)).toEqual(['a']);
    await copy.close();
  });

  test('goes to standard output, and leaves nothing behind', async () => {
    const storage = await open();
    await put(storage, 'a');
    const before = await readdir(folder);
    const streams = quiet();
    await backup({ storage: url, to: '-' }, streams);
    expect(await readdir(folder)).toEqual(before);
    await storage.close();
    await writeFile(join(folder, 'copy'), streams.out.bytes);
    const copy = await SqliteStorage.open({ path: join(folder, 'copy') });
    expect(await names(copy)).toEqual(['a']);
    await copy.close();
  });

  test('refuses what cannot be, and makes no file then', async () => {
    await expect(backup({ storage: url, to: join(folder, 'copy') }, quiet())).rejects.toThrow('there is no database');
    await expect(backup({ storage: url }, quiet())).rejects.toThrow(UsageError);
    await expect(backup({ storage: 'etcd://x', to: '-' }, quiet())).rejects.toThrow(UsageError);
    expect(await readdir(folder)).toEqual([]);
    await (await open()).close();
    await writeFile(join(folder, 'taken'), 'precious');
    await expect(backup({ storage: url, to: join(folder, 'taken') }, quiet())).rejects.toThrow('exists already');
    expect(await readFile(join(folder, 'taken'), 'utf8')).toBe('precious');
  });
});

describe('restore', () => {
  const copy = (): string => join(folder, 'copy');

  test('brings the objects back, above all revisions that were ever given out', async () => {
    const before = await open();
    const first = await put(before, 'a');
    await backup({ storage: url, to: copy() }, quiet());
    const last = await put(before, 'b');
    await before.close();

    await restore({ storage: url, from: copy() }, new Sink());
    const after = await open();
    expect(await names(after)).toEqual(['a']);
    expect(await after.currentRevision()).toBeGreaterThan(last);
    expect(await after.get('/example.com/pebbles/default/a')).toMatchObject({ revision: first });
    expect(await put(after, 'b')).toBeGreaterThan(last);
    // Whoever watched before starts over instead of waiting for ever.
    const watch = after.watch('/example.com/', last, new AbortController().signal)[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toThrow(CompactedError);
    await expect(put(after, 'a')).rejects.toThrow();
    await after.close();

    const aside = await SqliteStorage.open({ path: `${path}.before-restore-1` });
    expect(await names(aside)).toEqual(['a', 'b']);
    await aside.close();
  });

  test('works where there is nothing, or nothing that can be read', async () => {
    const storage = await open();
    await put(storage, 'a');
    await storage.close();
    await backup({ storage: url, to: copy() }, quiet());
    await writeFile(path, 'not a database at all, and long enough to look like one'.repeat(100));
    await restore({ storage: url, from: copy() }, new Sink());
    await rm(path);
    await restore({ storage: url, from: copy() }, new Sink());
    const after = await open();
    expect(await names(after)).toEqual(['a']);
    await after.close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('does not touch a store that is in use', async () => {
    const storage = await open();
    await put(storage, 'a');
    await backup({ storage: url, to: copy() }, quiet());
    await put(storage, 'b');
    await expect(restore({ storage: url, from: copy() }, new Sink())).rejects.toThrow('in use');
    expect(await names(storage)).toEqual(['a', 'b']);
    await storage.close();
  });

  test('does not touch the store for a file that is no copy of one', async () => {
    const storage = await open();
    await put(storage, 'a');
    await storage.close();
    await writeFile(copy(), 'nonsense');
    for (const from of [copy(), join(folder, 'absent'), folder]) {
      await expect(restore({ storage: url, from }, new Sink())).rejects.toThrow(StorageFailedError);
    }
    await expect(restore({ storage: url }, new Sink())).rejects.toThrow(UsageError);
    const after = await open();
    expect(await names(after)).toEqual(['a']);
    await after.close();
  });
});
