import { Worker } from 'node:worker_threads';
import { StorageFailedError, type StorageFailure, type Write } from '../storage.ts';
import type { CommitOutcome, CompactOutcome, CompactRequest, WriterReply, WriterRequest } from './protocol.ts';

/** One commit's way through the writing thread. */
interface Pending {
  readonly write: Write;
  settle(outcome: CommitOutcome): void;
}

export interface WriterClientOptions {
  readonly path: string;
  /** Called for each durable write in the order of revisions, before its commit resolves. */
  onCommitted(write: Write, revision: number, previous: string | undefined): void;
  /** Called once when the thread dies; nothing can be written any more. */
  onFailure(error: StorageFailedError): void;
}

/** Gives out, but does not keep: with this much waiting for the disk, something is wrong. */
const CLOSE_WAIT_MS = 30_000;

/** The main thread's side of the writing thread. */
export class WriterClient {
  readonly #worker: Worker;
  readonly #options: WriterClientOptions;
  readonly #commits = new Map<number, Pending>();
  readonly #compactions = new Map<number, (outcome: CompactOutcome) => void>();
  #nextId = 1;
  #failure: StorageFailedError | undefined;
  #closing = false;
  readonly #exited: Promise<void>;

  private constructor(worker: Worker, options: WriterClientOptions) {
    this.#worker = worker;
    this.#options = options;
    worker.on('message', (reply: WriterReply) => this.#receive(reply));
    worker.on('messageerror', () => this.#fail('unavailable', 'unreadable answer of the writing thread'));
    worker.on('error', (error) => this.#fail('unavailable', `the writing thread failed: ${String(error)}`));
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#fail(
          this.#closing ? 'closed' : 'unavailable',
          this.#closing ? 'the storage is closed' : 'the writing thread ended',
        );
        resolve();
      });
    });
  }

  /** Starts the thread and waits until it has opened (created, recovered, checked) the file. @throws StorageFailedError */
  static async start(options: WriterClientOptions): Promise<{ client: WriterClient; revision: number }> {
    // The emitted program has .js files, the sources run as they are.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./writer-thread.${extension}`, import.meta.url), {
      name: 'storage-writer',
      workerData: { path: options.path },
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 },
    });
    const first = await firstReply(worker);
    if (first.type !== 'ready') {
      const refused =
        first.type === 'refused' ? first : { failure: 'unavailable' as const, message: 'unexpected answer' };
      await worker.terminate();
      throw new StorageFailedError(refused.failure, refused.message);
    }
    return { client: new WriterClient(worker, options), revision: first.revision };
  }

  /** Resolves with the outcome once durable. A failed store is an outcome too. */
  commit(write: Write, timeMs: number): Promise<CommitOutcome> {
    const id = this.#nextId++;
    if (this.#failure !== undefined || this.#closing) {
      return Promise.resolve({ id, type: 'failed', ...this.#refusal() });
    }
    return new Promise((resolve) => {
      this.#commits.set(id, { write, settle: resolve });
      this.#post({ type: 'commit', id, timeMs, write });
    });
  }

  compact(request: Omit<CompactRequest, 'type' | 'id'>): Promise<CompactOutcome> {
    const id = this.#nextId++;
    if (this.#failure !== undefined || this.#closing) {
      return Promise.resolve({ id, type: 'failed', ...this.#refusal() });
    }
    return new Promise((resolve) => {
      this.#compactions.set(id, resolve);
      this.#post({ type: 'compact', id, ...request });
    });
  }

  /** Lets what was handed over finish, then ends the thread. */
  async close(): Promise<void> {
    if (!this.#closing && this.#failure === undefined) {
      this.#closing = true;
      this.#post({ type: 'close' });
    }
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_WAIT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #post(request: WriterRequest): void {
    this.#worker.postMessage(request);
  }

  #receive(reply: WriterReply): void {
    if (reply.type === 'group') {
      for (const outcome of reply.outcomes) {
        const pending = this.#commits.get(outcome.id)!;
        this.#commits.delete(outcome.id);
        if (outcome.type === 'done') {
          this.#options.onCommitted(pending.write, outcome.revision, outcome.previous);
        }
        pending.settle(outcome);
      }
    } else if (reply.type === 'compaction') {
      const settle = this.#compactions.get(reply.outcome.id)!;
      this.#compactions.delete(reply.outcome.id);
      settle(reply.outcome);
    }
  }

  #refusal(): { readonly failure: StorageFailure; readonly message: string } {
    return this.#failure ?? { failure: 'closed', message: 'the storage is closed' };
  }

  #fail(failure: StorageFailure, message: string): void {
    if (this.#failure !== undefined) {
      return;
    }
    this.#failure = new StorageFailedError(failure, message);
    for (const [id, pending] of this.#commits) {
      pending.settle({ id, type: 'failed', failure, message });
    }
    this.#commits.clear();
    for (const [id, settle] of this.#compactions) {
      settle({ id, type: 'failed', failure, message });
    }
    this.#compactions.clear();
    this.#options.onFailure(this.#failure);
  }
}

function firstReply(worker: Worker): Promise<WriterReply> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number) =>
      reject(new Error(`the writing thread ended with code ${code} before it was ready`));
    worker.once('error', reject);
    worker.once('exit', onExit);
    worker.once('message', (reply: WriterReply) => {
      worker.off('error', reject);
      worker.off('exit', onExit);
      resolve(reply);
    });
  });
}
