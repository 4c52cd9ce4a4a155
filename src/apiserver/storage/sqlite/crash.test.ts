import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import type { Change } from '../history.ts';
import type { Storage } from '../storage.ts';
import { SqliteStorage } from './sqlite-storage.ts';

const directory = mkdtempSync(join(tmpdir(), 'storage-crash-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Writes as fast as it can, and says on stdout what was acknowledged and what a watcher saw. */
const WRITER = `
  import { SqliteStorage } from ${JSON.stringify(new URL('./sqlite-storage.ts', import.meta.url).href)};
  const [path, round] = process.argv.slice(1);
  const storage = await SqliteStorage.open({ path, historyMs: 3_600_000, historyWrites: 1_000_000 });
  const say = (...words) => process.stdout.write(words.join(' ') + '\\n');
  const start = await storage.currentRevision();
  say('open', start);
  void (async () => {
    for await (const event of storage.watch('/', start, new AbortController().signal)) say('seen', event.revision);
  })();
  for (let lane = 0; lane < 8; lane += 1) void (async () => {
    const key = '/lane/' + lane;
    let revision = (await storage.get(key))?.revision ?? 0;
    for (let n = 0; ; n += 1) {
      const remove = n % 7 === 6;
      const value = remove ? undefined : JSON.stringify({ round, n, pad: 'x'.repeat((n * 37) % 9000) });
      ({ revision } = await storage.commit({ key, value, expectedRevision: revision, claims: ['claim-' + lane] }));
      say('ack', key, revision, n, remove ? 'removed' : 'put');
      if (remove) revision = 0;
    }
  })();`;

test('killed twenty times while it writes: nothing acknowledged is lost, no revision goes backwards', async () => {
  const path = join(directory, 'test.db');
  let acknowledgements = 0;
  let highest = 1;
  for (let round = 0; round < 20; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', WRITER, path, String(round)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const acknowledged: { key: string; revision: number; n: number; removed: boolean }[] = [];
    let started = 0;
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      const [word, ...rest] = line.split(' ');
      if (word === 'open') {
        started = Number(rest[0]);
      } else if (word === 'seen') {
        highest = Math.max(highest, Number(rest[0]));
      } else if (word === 'ack' && rest.length === 4) {
        acknowledged.push({
          key: rest[0]!,
          revision: Number(rest[1]),
          n: Number(rest[2]),
          removed: rest[3] === 'removed',
        });
      }
    });
    const before = highest;
    const closed = once(lines, 'close');
    await expect.poll(() => started, { timeout: 10_000, interval: 5 }).toBeGreaterThan(0);
    await sleep(Math.random() * 150);
    child.kill('SIGKILL');
    await closed;
    expect(started).toBeGreaterThanOrEqual(before);
    const revisions = acknowledged.map(({ revision }) => revision);
    expect(Math.min(Infinity, ...revisions)).toBeGreaterThan(started);
    acknowledgements += revisions.length;
    highest = Math.max(highest, ...revisions);

    const storage = await SqliteStorage.open({ path, historyMs: 3_600_000, historyWrites: 1_000_000 });
    const current = await storage.currentRevision();
    expect(current).toBeGreaterThanOrEqual(highest);
    // Each write is in the history exactly once, so whoever saw one can resume from there.
    const history = await readHistory(storage, started, current);
    expect(history.map(({ revision }) => revision)).toEqual(history.map((_, n) => started + 1 + n));
    for (const { key, revision, n, removed } of acknowledged) {
      const change = history[revision - started - 1]!;
      expect([change.key, change.type]).toEqual([key, removed ? 'delete' : 'put']);
      if (change.type === 'put') {
        expect(JSON.parse(change.value)).toMatchObject({ round: String(round), n });
      }
    }
    // And the state is what the history leads to.
    const last = new Map(history.map((change) => [change.key, change]));
    for (const [key, change] of last) {
      const item = change.type === 'put' ? { key, value: change.value, revision: change.revision } : undefined;
      expect(await storage.get(key)).toEqual(item);
    }
    highest = current;
    await storage.close();
  }
  expect(acknowledgements).toBeGreaterThan(200);
}, 120_000);

async function readHistory(storage: Storage, after: number, upTo: number): Promise<Change[]> {
  const changes: Change[] = [];
  if (upTo > after) {
    for await (const event of storage.watch('/', after, new AbortController().signal)) {
      if (event.type !== 'progress' && changes.push(event) === upTo - after) {
        break;
      }
    }
  }
  return changes;
}
