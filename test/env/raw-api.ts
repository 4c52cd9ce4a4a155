import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { parse } from 'yaml';
import { adminKubeconfig } from './api-server.ts';

/** Our API server itself, past the aggregation layer. */
export const OWN_PORT = { host: '10.240.0.1', port: 8443 } as const;

export const GROUP_PATH = '/apis/kamaji.io/v1alpha1';

export interface RawRequest {
  /** Default GET. */
  readonly method?: string;
  /** An object; or name, value, name, value, ... where a header comes twice. */
  readonly headers?: OutgoingHttpHeaders | string[];
  /** Text and bytes are sent as they are, all else as JSON. */
  readonly body?: unknown;
  /** Default 30,000. */
  readonly timeoutMs?: number;
}

export interface RawAnswer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
  json(): unknown;
}

export interface WatchFrame<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/** HTTP without a client library, so that nothing is smoothed over. Connections are kept and end with `close`. */
export class RawApi {
  readonly #agent: Agent;

  constructor(options: ConnectionOptions & { readonly host: string; readonly port: number }) {
    this.#agent = new Agent({ keepAlive: true, rejectUnauthorized: false, ...options });
  }

  close(): void {
    this.#agent.destroy();
  }

  async ask(path: string, options: RawRequest = {}): Promise<RawAnswer> {
    const signal = AbortSignal.timeout(options.timeoutMs ?? 30_000);
    const response = await this.open(path, options, signal);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const text = bytes.toString('utf8');
    return {
      code: response.statusCode ?? 0,
      headers: response.headers,
      text,
      bytes,
      json: () => JSON.parse(text) as unknown,
    };
  }

  /** The JSON of an answer that must be a success. @throws Error with the whole answer when it is none */
  async read<T>(path: string, options: RawRequest = {}): Promise<T> {
    const answer = await this.ask(path, options);
    if (answer.code >= 300) throw new Error(`${options.method ?? 'GET'} ${path}: ${answer.code} ${answer.text}`);
    return answer.json() as T;
  }

  /** `path` has `watch=true` in it. The headers have come when this resolves. */
  async watch<T>(path: string, headers: OutgoingHttpHeaders = {}): Promise<RawWatch<T>> {
    const ended = new AbortController();
    return new RawWatch<T>(await this.open(path, { headers }, ended.signal), ended);
  }

  /** The answer as soon as its headers have come. */
  open(path: string, options: RawRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { body, headers = {} } = options;
    const payload =
      body === undefined || typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // Node sends the body of a DELETE without telling its length.
    const length = payload === undefined ? {} : { 'Content-Length': Buffer.byteLength(payload) };
    const outgoing = request(
      {
        agent: this.#agent,
        path,
        method: options.method ?? 'GET',
        // Node adds no Host of its own to a list.
        headers: Array.isArray(headers) ? ['Host', 'kamaji', ...headers] : { ...length, ...headers },
        signal,
      },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end(payload);
    return promise;
  }
}

/** The frames of a watch, one after the other. */
export class RawWatch<T> {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  /** Everything that has come. */
  readonly frames: WatchFrame<T>[] = [];
  /** When the stream is over, however that came. */
  readonly ended: Promise<void>;
  readonly #response: IncomingMessage;
  readonly #abort: AbortController;
  #taken = 0;
  #wake: () => void = () => undefined;

  constructor(response: IncomingMessage, abort: AbortController) {
    this.code = response.statusCode ?? 0;
    this.headers = response.headers;
    this.#response = response;
    this.#abort = abort;
    this.ended = this.#collect(response);
  }

  close(): void {
    this.#abort.abort();
  }

  /** Whether the server said that the stream is over, where else the connection broke. */
  get isComplete(): boolean {
    return this.#response.complete;
  }

  /** The next frame that fits; those before it are passed over. @throws Error when none comes in time */
  async next(fits: (frame: WatchFrame<T>) => boolean = () => true, timeoutMs = 10_000): Promise<WatchFrame<T>> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      while (this.#taken < this.frames.length) {
        const frame = this.frames[this.#taken++]!;
        if (fits(frame)) return frame;
      }
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`no such frame came; these did: ${JSON.stringify(this.frames).slice(0, 2_000)}`);
      const arrived = Promise.withResolvers<void>();
      this.#wake = arrived.resolve;
      const timer = setTimeout(arrived.resolve, leftMs);
      await arrived.promise;
      clearTimeout(timer);
    }
  }

  async #collect(response: IncomingMessage): Promise<void> {
    let rest = '';
    try {
      for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') this.frames.push(JSON.parse(line) as WatchFrame<T>);
        this.#wake();
      }
    } catch (error) {
      // Closed by us, or the server went away, which is what some tests are about.
      const isGone =
        error instanceof Error && 'code' in error && ['ABORT_ERR', 'ECONNRESET'].includes(String(error.code));
      if (!isGone) throw error;
    }
    this.#wake();
  }
}

export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } },
  ];
  readonly users: readonly [
    { readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string } },
  ];
}

async function readKubeconfig(file: string): Promise<Kubeconfig> {
  return parse(await readFile(file, 'utf8')) as Kubeconfig;
}

/** The client certificate of a kubeconfig. Default: the admin's. */
export async function kubeconfigCredentials(file: string = adminKubeconfig()): Promise<Credentials> {
  const { user } = (await readKubeconfig(file)).users[0];
  return { cert: fromBase64(user['client-certificate-data']), key: fromBase64(user['client-key-data']) };
}

/** The admin at kube-apiserver, verified: what a user of the cluster sees. */
export async function openClusterApi(): Promise<RawApi> {
  const { cluster } = (await readKubeconfig(adminKubeconfig())).clusters[0];
  const { hostname, port } = new URL(cluster.server);
  return new RawApi({
    host: hostname,
    port: Number(port),
    ca: fromBase64(cluster['certificate-authority-data']),
    rejectUnauthorized: true,
    ...(await kubeconfigCredentials()),
  });
}

/** At our own port, with a client certificate or none. */
export function openOwnPort(options: ConnectionOptions = {}): RawApi {
  return new RawApi({ ...options, ...OWN_PORT });
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
