import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import type { StorageDriverOptions } from '../../src/apiserver/storage/drivers.ts';
import { freePort } from '../env/etcd.ts';
import { RawApi, type RawAnswer, type RawRequest, type RawWatch } from '../env/raw-api.ts';
import { newEngineTls } from '../storage/engine.ts';
import type { CrashServerOptions } from './server.ts';

const program = fileURLToPath(new URL('server.ts', import.meta.url));

/** What a request meets when the server dies, is dead, or has just been born and does not know the token of the one before. */
const GONE = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE'];

/** A server on one port and one store that can be killed and started again, and a client of it. */
export class KilledServer {
  readonly api: RawApi;
  readonly #options: CrashServerOptions;
  #child: ChildProcess | undefined;
  #token = '';

  private constructor(options: CrashServerOptions) {
    this.#options = options;
    this.api = new RawApi({ host: '127.0.0.1', port: options.port });
  }

  static async create(storage: string, etcd?: StorageDriverOptions['etcd']): Promise<KilledServer> {
    const { material } = await newEngineTls();
    return new KilledServer({ ...material, port: await freePort(), storage, ...(etcd === undefined ? {} : { etcd }) });
  }

  /** Starts it; resolves when it serves, or with false when it was killed before. @throws Error when it ends by itself */
  async start(): Promise<boolean> {
    const child = spawn(process.execPath, [program, JSON.stringify(this.#options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    const exited = once(child, 'exit');
    const lines = createInterface({ input: child.stdout });
    const token = await Promise.race([
      once(lines, 'line').then(([line]: string[]) => line),
      exited.then(() => undefined),
    ]);
    if (token !== undefined) this.#token = token;
    else if (child.signalCode !== 'SIGKILL') throw new Error(`the server ended by itself: ${child.exitCode}`);
    return token !== undefined;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async close(): Promise<void> {
    this.api.close();
    await this.kill();
  }

  /** An answer; undefined when the server died before there was one: the request may have been done or not. */
  async ask(path: string, options: RawRequest = {}): Promise<RawAnswer | undefined> {
    try {
      const answer = await this.api.ask(path, { timeoutMs: 20_000, ...options, headers: this.#headers(options) });
      return answer.code === 401 ? undefined : answer;
    } catch (error) {
      if (!isGone(error)) throw error;
      return undefined;
    }
  }

  /** Undefined when there is no server. */
  async watch<T>(path: string): Promise<RawWatch<T> | undefined> {
    try {
      const stream = await this.api.watch<T>(path, this.#headers({}));
      if (stream.code !== 401) return stream;
      stream.close();
      return undefined;
    } catch (error) {
      if (!isGone(error)) throw error;
      return undefined;
    }
  }

  #headers(options: RawRequest): Record<string, string> {
    const { headers = {} } = options;
    if (Array.isArray(headers)) throw new Error('headers by name only');
    return { ...(headers as Record<string, string>), Authorization: `Bearer ${this.#token}` };
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && GONE.includes(String(error.code));
}
