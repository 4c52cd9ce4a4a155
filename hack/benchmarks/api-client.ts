import { readFile } from 'node:fs/promises';
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { parse } from 'yaml';

/**
 * Requests to kube-apiserver as client-go sends them: HTTP/2, gzip accepted, bodies left as they came, so that reading an answer
 * costs the client next to nothing.
 */

/** kube-apiserver takes this many requests at a time on a connection (server options, http2-max-streams-per-connection). */
const STREAMS_PER_CONNECTION = 100;

export interface BenchRequest {
  readonly method?: string;
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  /** Keep the text of the answer; it is not compressed then. */
  readonly keep?: boolean;
  /** Accept gzip, as client-go does by itself. Default true. */
  readonly gzip?: boolean;
}

export interface BenchAnswer {
  readonly code: number;
  readonly bytes: number;
  readonly text: string;
}

export class BenchClient {
  readonly #origin: string;
  readonly #tls: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
  readonly #calls: ClientHttp2Session;
  readonly #watches: ClientHttp2Session[] = [];
  #openWatches = 0;

  private constructor(origin: string, tls: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer }) {
    this.#origin = origin;
    this.#tls = tls;
    this.#calls = this.#connect();
  }

  static async open(kubeconfigFile: string): Promise<BenchClient> {
    const { clusters, users } = parse(await readFile(kubeconfigFile, 'utf8')) as Kubeconfig;
    const { cluster } = clusters[0];
    const { user } = users[0];
    return new BenchClient(cluster.server, {
      ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
      cert: Buffer.from(user['client-certificate-data'], 'base64'),
      key: Buffer.from(user['client-key-data'], 'base64'),
    });
  }

  close(): void {
    for (const session of [this.#calls, ...this.#watches]) session.destroy();
  }

  /** @throws Error for an answer that is no success, with what it says */
  send(request: BenchRequest): Promise<BenchAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<BenchAnswer>();
    const stream = this.#calls.request(headersOf(request), { endStream: request.body === undefined });
    let code = 0;
    let bytes = 0;
    const chunks: Buffer[] = [];
    stream.on('response', (headers: IncomingHttpHeaders) => {
      code = Number(headers[':status']);
    });
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (request.keep === true || code >= 300) chunks.push(chunk);
    });
    stream.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      if (code >= 200 && code < 300) resolve({ code, bytes, text });
      else reject(new Error(`${request.method ?? 'GET'} ${request.path}: ${code} ${text.slice(0, 500)}`));
    });
    stream.on('error', reject);
    if (request.body !== undefined) stream.end(request.body);
    return promise;
  }

  async read<T>(request: BenchRequest): Promise<T> {
    return JSON.parse((await this.send({ ...request, keep: true })).text) as T;
  }

  /** Opens a watch; `onEvent` is called for each event with nothing but the fact. Resolves when the headers have come. */
  watch(path: string, onEvent: () => void): Promise<{ close(): void }> {
    if (this.#openWatches % STREAMS_PER_CONNECTION === 0) this.#watches.push(this.#connect());
    this.#openWatches++;
    const { promise, resolve, reject } = Promise.withResolvers<{ close(): void }>();
    const stream = this.#watches.at(-1)!.request(headersOf({ path }));
    stream.on('response', (headers: IncomingHttpHeaders) => {
      if (Number(headers[':status']) === 200) resolve({ close: () => stream.close(constants.NGHTTP2_CANCEL) });
      else reject(new Error(`watch ${path}: ${String(headers[':status'])}`));
    });
    stream.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) onEvent();
    });
    stream.on('error', reject);
    return promise;
  }

  #connect(): ClientHttp2Session {
    const session = connect(this.#origin, {
      ...this.#tls,
      settings: { initialWindowSize: 4 << 20, enablePush: false },
    });
    session.on('connect', () => session.setLocalWindowSize(1 << 30));
    session.setMaxListeners(0);
    return session;
  }
}

function headersOf(request: BenchRequest): Record<string, string> {
  return {
    ':method': request.method ?? 'GET',
    ':path': request.path,
    accept: request.accept ?? 'application/json',
    'user-agent': 'bench/1.0 (linux/amd64) kubernetes',
    ...(request.keep === true || request.gzip === false ? {} : { 'accept-encoding': 'gzip' }),
    ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
  };
}

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } },
  ];
  readonly users: readonly [
    { readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string } },
  ];
}
