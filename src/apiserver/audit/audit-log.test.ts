import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import type { LogFields, Logger } from '../../base/log.ts';
import { silentLogger } from '../../base/log.ts';
import { createMetrics } from '../../base/metrics.ts';
import { AuditLogFile, newAuditStream } from './audit-log.ts';

let folder: string;
let path: string;
const complaints: (LogFields | undefined)[] = [];
const log: Logger = { ...silentLogger, error: (_message, fields) => void complaints.push(fields) };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'));
  path = join(folder, 'audit.log');
  complaints.length = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function options(changes: object = {}) {
  return { path, maxBytes: 1_000, maxBackups: 0, clock: new FakeClock(), log, metrics: createMetrics(), ...changes };
}

test('lines come in order, all of them before it is closed, for nobody else to read', async () => {
  const audit = await AuditLogFile.open(options({ maxBytes: 1e9 }));
  const lines = Array.from({ length: 5_000 }, (_, index) => `{"n":${index}}`);
  for (const line of lines) audit.write(line);
  await audit.close();
  expect((await readFile(path, 'utf8')).split('\n')).toEqual([...lines, '']);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('goes on where an earlier process ended', async () => {
  for (const line of ['a', 'b']) {
    const audit = await AuditLogFile.open(options());
    audit.write(line);
    await audit.close();
  }
  expect(await readFile(path, 'utf8')).toBe('a\nb\n');
});

test('a file that would grow too large is put aside, and the oldest of these removed', async () => {
  const clock = new FakeClock();
  const audit = await AuditLogFile.open(options({ clock, maxBackups: 2 }));
  for (const letter of 'abcde') {
    audit.write(letter.repeat(600));
    await audit.close();
    await clock.advance(1_000);
  }
  expect((await readdir(folder)).sort()).toEqual([
    'audit-2026-01-01T00-00-03.000.log',
    'audit-2026-01-01T00-00-04.000.log',
    'audit.log',
  ]);
  expect(await readFile(path, 'utf8')).toBe(`${'e'.repeat(600)}\n`);
  expect(await readFile(join(folder, 'audit-2026-01-01T00-00-04.000.log'), 'utf8')).toBe(`${'d'.repeat(600)}\n`);
});

test('files put aside in one millisecond stay apart', async () => {
  const audit = await AuditLogFile.open(options());
  for (const letter of 'abc') {
    audit.write(letter.repeat(600));
    await audit.close();
  }
  expect(await readdir(folder)).toHaveLength(3);
});

test('a log that cannot be written loses events, counts them and says so once a minute', async () => {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const audit = await AuditLogFile.open(options({ clock, metrics }));
  await rm(folder, { recursive: true });
  for (let round = 0; round < 3; round++) {
    audit.write('x'.repeat(600));
    await audit.close();
  }
  expect(complaints).toHaveLength(1);
  await clock.advance(61_000);
  audit.write('y');
  await audit.close();
  expect(complaints).toHaveLength(2);
  // The first line went to the file that was still open.
  expect(await metrics.text()).toMatch(/^apiserver_audit_error_total\{plugin="log"\} [34]$/m);
});

test('a file in a folder that is not there is refused', async () => {
  await expect(AuditLogFile.open(options({ path: join(folder, 'no', 'audit.log') }))).rejects.toThrow('ENOENT');
});

test('more than the memory should hold is lost', async () => {
  const metrics = createMetrics();
  const audit = await AuditLogFile.open(options({ metrics, maxBytes: 1e9 }));
  for (let i = 0; i < 20; i++) audit.write('x'.repeat(1024 * 1024));
  await audit.close();
  expect((await stat(path)).size).toBe(15 * (1024 * 1024 + 1));
  expect(await metrics.text()).toMatch(/^apiserver_audit_error_total\{plugin="log"\} 5$/m);
});

test('a stream gets the same lines', async () => {
  const stream = new PassThrough();
  const texts: string[] = [];
  stream.on('data', (chunk) => texts.push(String(chunk)));
  const audit = newAuditStream(stream, options());
  audit.write('a');
  audit.write('b');
  await audit.close();
  expect(texts.join('')).toBe('a\nb\n');
  stream.destroy();
  audit.write('c');
  await audit.close();
});
