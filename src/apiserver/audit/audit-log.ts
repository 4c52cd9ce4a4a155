import type { FileHandle } from 'node:fs/promises';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';

/** Where audit events go, one line of JSON each. */
export interface AuditSink {
  /** Takes a line; never waits and never throws. */
  write(line: string): void;
  /** Resolves once everything taken is written. */
  close(): Promise<void>;
}

export interface AuditLogOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface AuditFileOptions extends AuditLogOptions {
  readonly path: string;
  /** A file that would grow beyond this is put aside. */
  readonly maxBytes: number;
  /** Files put aside that are kept; 0: all. */
  readonly maxBackups: number;
}

/** Characters that wait for a slow disk at most; what comes then is lost, and counted. */
const maxQueued = 16 * 1024 * 1024;
const maxBatch = 1024 * 1024;
const complaintIntervalMs = 60_000;

/**
 * An audit log in a file of its own, readable by its owner alone, put aside by size under a name with the time
 * (`audit-2026-01-02T03-04-05.678.log`, as gopkg.in/natefinch/lumberjack.v2 does for kube-apiserver).
 */
export class AuditLogFile implements AuditSink {
  readonly #options: AuditFileOptions;
  readonly #lost: (lines: number) => void;
  #file: FileHandle | undefined;
  #size = 0;
  #queue: string[] = [];
  #queued = 0;
  #pump: Promise<void> | undefined;
  #complainedAt = -Infinity;
  #lastStamp = 0;

  private constructor(options: AuditFileOptions) {
    this.#options = options;
    this.#lost = countLost(options.metrics);
  }

  /** @throws Error of the file system when the file cannot be written */
  static async open(options: AuditFileOptions): Promise<AuditLogFile> {
    const log = new AuditLogFile(options);
    await log.#open();
    return log;
  }

  write(line: string): void {
    if (this.#queued + line.length > maxQueued) {
      this.#fail(1, new Error('the disk is too slow'));
      return;
    }
    this.#queue.push(`${line}\n`);
    this.#queued += line.length + 1;
    this.#pump ??= this.#drain();
  }

  async close(): Promise<void> {
    await this.#pump;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #drain(): Promise<void> {
    // Lines of the same turn go together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const lines = this.#takeBatch();
      const text = lines.join('');
      try {
        await this.#append(text);
      } catch (error) {
        this.#fail(lines.length, error);
        await this.#forgetFile();
      }
      this.#queued -= text.length;
    }
    this.#pump = undefined;
  }

  #takeBatch(): readonly string[] {
    let length = 0;
    const end = this.#queue.findIndex((line) => (length += line.length) > maxBatch);
    return this.#queue.splice(0, end < 1 ? (end < 0 ? this.#queue.length : 1) : end);
  }

  async #append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    if (this.#file === undefined) await this.#open();
    if (this.#size > 0 && this.#size + bytes.length > this.#options.maxBytes) await this.#rotate();
    await this.#file?.appendFile(bytes);
    this.#size += bytes.length;
  }

  async #open(): Promise<void> {
    const file = await open(this.#options.path, 'a', 0o600);
    this.#file = file;
    this.#size = (await file.stat()).size;
  }

  async #rotate(): Promise<void> {
    const { path } = this.#options;
    await this.#forgetFile();
    // Two files of one millisecond must not become one.
    this.#lastStamp = Math.max(this.#options.clock.now(), this.#lastStamp + 1);
    const time = new Date(this.#lastStamp).toISOString().slice(0, 23).replaceAll(':', '-');
    const extension = extname(path);
    await rename(path, `${path.slice(0, path.length - extension.length)}-${time}${extension}`);
    await this.#open();
    await this.#removeOld();
  }

  async #removeOld(): Promise<void> {
    const { path, maxBackups } = this.#options;
    if (maxBackups === 0) return;
    const extension = extname(path);
    const head = `${basename(path, extension)}-`;
    const names = (await readdir(dirname(path))).filter(
      (name) =>
        name.startsWith(head) &&
        name.endsWith(extension) &&
        /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}$/.test(name.slice(head.length, name.length - extension.length)),
    );
    // The time in the name sorts them.
    for (const name of names.sort().slice(0, -maxBackups)) await unlink(join(dirname(path), name));
  }

  async #forgetFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.close();
    } catch (error) {
      this.#complain(error);
    }
  }

  #fail(lines: number, error: unknown): void {
    this.#lost(lines);
    this.#complain(error);
  }

  #complain(error: unknown): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#complainedAt < complaintIntervalMs) return;
    this.#complainedAt = now;
    this.#options.log.error('the audit log cannot be written', { path: this.#options.path, error });
  }
}

/** An audit log on a stream, such as standard output. */
export function newAuditStream(stream: Writable, options: AuditLogOptions): AuditSink {
  const lost = countLost(options.metrics);
  return {
    write: (line) => {
      if (stream.writableLength > maxQueued || stream.destroyed) lost(1);
      else stream.write(`${line}\n`);
    },
    close: () =>
      new Promise((resolve) => {
        if (stream.destroyed) resolve();
        else stream.write('', () => resolve());
      }),
  };
}

function countLost(metrics: Metrics): (lines: number) => void {
  const counter = metrics.counter('apiserver_audit_error_total', 'Audit events that were lost.', ['plugin']);
  return (lines) => counter.inc({ plugin: 'log' }, lines);
}
