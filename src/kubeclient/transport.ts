import http from 'node:http';
import https from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';
import { abortReason } from '../base/deadline.ts';
import { ConnectionError, ProtocolError } from './api-error.ts';
import type { Connection, Credentials } from './connection.ts';

export interface TransportOptions {
  /** Connections for calls, at most; more calls than that wait for their turn. */
  readonly maxSockets: number;
  /** Idle connections are closed after this. Less than the 90 s after which kube-apiserver closes them. */
  readonly idleSocketMs: number;
  readonly userAgent: string;
}

export interface Call {
  readonly method: string;
  /** With query, starting with a slash, without the server's prefix. */
  readonly path: string;
  readonly accept: string;
  readonly contentType?: string | undefined;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** An answer whose body comes bit by bit. `destroy` ends it. */
export interface StreamingAnswer {
  readonly status: number;
  readonly chunks: AsyncIterable<Buffer>;
  destroy(): void;
}

interface Agents {
  readonly credentials: Credentials;
  readonly calls: http.Agent;
  /** Long answers have connections of their own, lest they take the places of calls. */
  readonly streams: http.Agent;
}

/** HTTP/1.1 to one server over kept-alive connections. Errors: ConnectionError, ProtocolError, or the reason of the signal. */
export class Transport {
  readonly #connection: Connection;
  readonly #options: TransportOptions;
  readonly #secure: boolean;
  readonly #host: string;
  readonly #port: number;
  readonly #prefix: string;
  readonly #origin: string;
  readonly #underWay = new Set<Exchange>();
  #closed = false;
  #agents: Agents | undefined;

  constructor(connection: Connection, options: TransportOptions) {
    const url = new URL(connection.server);
    this.#connection = connection;
    this.#options = options;
    this.#secure = url.protocol === 'https:';
    this.#host = url.hostname.replace(/^\[|\]$/g, '');
    this.#port = url.port === '' ? (this.#secure ? 443 : 80) : Number(url.port);
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#origin = url.origin;
  }

  /** Sends and reads the whole answer. */
  async send(call: Call): Promise<Answer> {
    const exchange = await this.#start(call, 'calls');
    try {
      const { response } = exchange;
      const body = await readBody(response, call);
      return { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body };
    } catch (error) {
      exchange.request.destroy();
      throw exchange.explain(error);
    } finally {
      exchange.finish();
    }
  }

  /** Sends and answers as soon as the headers are there; `timeoutMs` limits the time until then, `signal` the whole. */
  async open(call: Call): Promise<StreamingAnswer> {
    const exchange = await this.#start(call, 'streams');
    exchange.stopTimer();
    const destroy = (): void => {
      exchange.finish();
      exchange.request.destroy();
    };
    async function* chunks(): AsyncGenerator<Buffer> {
      try {
        yield* exchange.response as AsyncIterable<Buffer>;
      } catch (error) {
        throw exchange.explain(error);
      } finally {
        destroy();
      }
    }
    return { status: exchange.response.statusCode ?? 0, chunks: chunks(), destroy };
  }

  /** Ends everything under way and frees the connections. */
  close(): void {
    this.#closed = true;
    for (const exchange of this.#underWay) exchange.stop(newClosedError());
    this.#agents?.calls.destroy();
    this.#agents?.streams.destroy();
    this.#agents = undefined;
  }

  /** Number of open connections, for metrics and tests. */
  get openSockets(): number {
    const count = (agent: http.Agent | undefined): number =>
      agent
        ? [agent.sockets, agent.freeSockets]
            .flatMap((pool) => Object.values(pool))
            .reduce((n, list) => n + (list?.length ?? 0), 0)
        : 0;
    return count(this.#agents?.calls) + count(this.#agents?.streams);
  }

  /** Resolves when the headers of the answer are there. */
  async #start(call: Call, pool: 'calls' | 'streams'): Promise<Exchange> {
    const startedMs = performance.now();
    const source = this.#connection.credentials.current();
    const credentials = source instanceof Promise ? await source : source;
    if (call.signal?.aborted) throw abortReason(call.signal);
    if (this.#closed) throw newClosedError();
    const request = (this.#secure ? https : http).request({
      agent: this.#agentsFor(credentials)[pool],
      host: this.#host,
      port: this.#port,
      method: call.method,
      path: this.#prefix + call.path,
      headers: this.#headers(call, credentials),
    });
    const description = `${call.method} ${this.#origin}${this.#prefix}${call.path.replace(/\?.*/, '')}`;
    const remainingMs = Math.max(1, call.timeoutMs - (performance.now() - startedMs));
    const exchange = new Exchange(request, description, call.signal, remainingMs, this.#underWay);
    try {
      await exchange.begin(call.body);
      if (exchange.response.statusCode === 401) this.#connection.credentials.invalidate();
      return exchange;
    } catch (error) {
      exchange.finish();
      if (isTrustFailure(error)) this.#connection.credentials.invalidate();
      throw exchange.explain(error);
    }
  }

  #headers(call: Call, credentials: Credentials): http.OutgoingHttpHeaders {
    const headers: http.OutgoingHttpHeaders = { accept: call.accept, 'user-agent': this.#options.userAgent };
    if (credentials.token !== undefined) headers['authorization'] = `Bearer ${credentials.token}`;
    if (call.body !== undefined) {
      headers['content-type'] = call.contentType ?? 'application/json';
      headers['content-length'] = Buffer.byteLength(call.body);
    }
    return headers;
  }

  #agentsFor(credentials: Credentials): Agents {
    if (this.#agents?.credentials === credentials) return this.#agents;
    const before = this.#agents?.credentials;
    if (
      this.#agents &&
      before?.ca === credentials.ca &&
      before?.certificate === credentials.certificate &&
      before?.key === credentials.key
    ) {
      this.#agents = { ...this.#agents, credentials };
      return this.#agents;
    }
    if (this.#agents) retire(this.#agents.calls);
    this.#agents = { credentials, ...this.#newAgents(credentials) };
    return this.#agents;
  }

  #newAgents(credentials: Credentials): Pick<Agents, 'calls' | 'streams'> {
    const { maxSockets, idleSocketMs } = this.#options;
    const calls: http.AgentOptions = {
      keepAlive: true,
      keepAliveMsecs: 30_000,
      maxSockets,
      timeout: idleSocketMs,
      scheduling: 'lifo',
    };
    const streams: http.AgentOptions = { keepAlive: false };
    if (!this.#secure) return { calls: new http.Agent(calls), streams: new http.Agent(streams) };
    const tls: https.AgentOptions = {
      // Parsed once, not again for each connection.
      secureContext: newSecureContext(credentials, this.#origin),
      rejectUnauthorized: !this.#connection.insecureSkipTlsVerify,
      maxCachedSessions: 1,
      ...(this.#connection.serverName === undefined ? {} : { servername: this.#connection.serverName }),
    };
    return { calls: new https.Agent({ ...calls, ...tls }), streams: new https.Agent({ ...streams, ...tls }) };
  }
}

/** One request and its answer, and all the reasons for which it may be stopped. */
class Exchange {
  readonly request: http.ClientRequest;
  readonly #description: string;
  readonly #signal: AbortSignal | undefined;
  readonly #underWay: Set<Exchange>;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = (): void => this.stop(abortReason(this.#signal!));
  #response: http.IncomingMessage | undefined;
  #stopReason: Error | undefined;

  constructor(
    request: http.ClientRequest,
    description: string,
    signal: AbortSignal | undefined,
    timeoutMs: number,
    underWay: Set<Exchange>,
  ) {
    this.request = request;
    this.#description = description;
    this.#signal = signal;
    this.#underWay = underWay;
    underWay.add(this);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#timer = setTimeout(() => {
      this.stop(new ConnectionError(`${description}: no answer within ${Math.round(timeoutMs)} ms`, 'TIMEOUT'));
    }, timeoutMs);
  }

  get response(): http.IncomingMessage {
    if (!this.#response) throw new Error('no answer yet');
    return this.#response;
  }

  async begin(body: string | undefined): Promise<void> {
    this.#response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      this.request.on('response', resolve);
      this.request.on('error', reject);
      this.request.end(body);
    });
  }

  stop(reason: Error): void {
    this.#stopReason ??= reason;
    this.request.destroy(reason);
  }

  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  /** Lets go of timer and signal. Idempotent. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#underWay.delete(this);
  }

  /** What to throw for an error of the streams: the reason for which we stopped it, if we did. */
  explain(error: unknown): Error {
    if (this.#stopReason) return this.#stopReason;
    if (error instanceof ConnectionError || error instanceof ProtocolError) return error;
    const code = (error as { code?: unknown }).code;
    const message = error instanceof Error ? error.message : String(error);
    return new ConnectionError(`${this.#description}: ${message}`, typeof code === 'string' ? code : 'UNKNOWN', error);
  }
}

function newClosedError(): ConnectionError {
  return new ConnectionError('the client is closed', 'CLOSED');
}

async function readBody(response: http.IncomingMessage, call: Call): Promise<string> {
  const declared = Number(response.headers['content-length'] ?? 0);
  const tooLarge = (): ProtocolError =>
    new ProtocolError(`${call.method} ${call.path}: the answer is larger than ${call.maxBytes} bytes`);
  if (declared > call.maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > call.maxBytes) reject(tooLarge());
      else chunks.push(chunk);
    });
    response.on('end', resolve);
    response.on('error', reject);
    response.on('close', () =>
      reject(new ConnectionError(`${call.method} ${call.path}: the answer was cut off`, 'ECONNRESET')),
    );
  });
  return (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8');
}

function newSecureContext({ ca, certificate, key }: Credentials, origin: string): SecureContext {
  try {
    return createSecureContext({ ca, cert: certificate, key, minVersion: 'TLSv1.2' });
  } catch (error) {
    throw new ConnectionError(`the certificates for ${origin} cannot be used`, 'BAD_CREDENTIALS', error);
  }
}

/** Lets an agent end by itself: what is idle closes now, what is in use when it is done. */
function retire(agent: http.Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

function isTrustFailure(error: unknown): boolean {
  const code: unknown = (error as { code?: unknown }).code;
  return typeof code === 'string' && /CERT|SIGNATURE|ERR_TLS|ERR_SSL/.test(code);
}
