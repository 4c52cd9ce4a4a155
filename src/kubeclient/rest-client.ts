import type { KubeList, KubeObject } from '../apimachinery/object.ts';
import { backoffDelayMs, type Random } from '../base/backoff.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { ApiError, ConnectionError, isExpired, isNotFound, newApiError, ProtocolError } from './api-error.ts';
import type {
  CallOptions,
  FindOptions,
  KubeClient,
  ListCallOptions,
  Resource,
  WatchCallOptions,
  WatchEvent,
} from './client.ts';
import { fixedCredentials, type Connection, type Credentials } from './connection.ts';
import { apiVersionOf, resourcePath, withQuery, type Query } from './paths.ts';
import { Transport, type Answer, type Call } from './transport.ts';
import { readWatchEvents } from './watch-stream.ts';

export interface KubeClientOptions {
  /** Default 16. */
  readonly maxSockets?: number | undefined;
  /** Default 50,000. */
  readonly idleSocketMs?: number | undefined;
  /** Its part before the slash is the field manager of writes without one. Default `kamaji/0`. */
  readonly userAgent?: string | undefined;
  /** Largest answer. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  /** Told of every answer; code 0 when none came. */
  readonly observe?: ((method: string, code: number, seconds: number) => void) | undefined;
}

const JSON_TYPE = 'application/json';
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const METADATA_ONE = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const PAGE = 500;
const DEFAULT_TIMEOUT_MS = 30_000;
/** POST makes another object each time; everything else may be repeated. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);
const RETRY_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);
const MAX_RESETS = 3;
const MAX_THROTTLES = 10;

/** A client of one cluster. It holds no connection until it is used and none once it idled, so hundreds are cheap. */
export function createKubeClient(
  connection: Connection,
  options: KubeClientOptions = {},
): KubeClient & { readonly openSockets: number } {
  return new RestClient(connection, options);
}

export interface TenantConnection extends Credentials {
  /** `https://host:port`. */
  readonly server: string;
  readonly serverName?: string | undefined;
}

/** A client for one of many clusters: few connections, closed soon. */
export function createTenantClient(
  tenant: TenantConnection,
  options: KubeClientOptions = {},
): KubeClient & { readonly openSockets: number } {
  const { server, serverName, ...credentials } = tenant;
  const connection: Connection = { server, serverName, credentials: fixedCredentials(credentials) };
  return new RestClient(connection, { maxSockets: 4, idleSocketMs: 10_000, ...options });
}

interface SendOptions extends CallOptions {
  readonly body?: unknown;
  readonly contentType?: string | undefined;
  readonly accept?: string | undefined;
}

class RestClient implements KubeClient {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #maxBytes: number;
  readonly #observe: KubeClientOptions['observe'];

  constructor(connection: Connection, options: KubeClientOptions) {
    this.#transport = new Transport(connection, {
      maxSockets: options.maxSockets ?? 16,
      idleSocketMs: options.idleSocketMs ?? 50_000,
      userAgent: options.userAgent ?? 'kamaji/0',
    });
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
    this.#observe = options.observe;
  }

  get openSockets(): number {
    return this.#transport.openSockets;
  }

  async get<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    options: CallOptions = {},
  ): Promise<T> {
    return this.#json('GET', resourcePath(resource, { namespace, name }), options);
  }

  async find<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    options: FindOptions = {},
  ): Promise<T | undefined> {
    const path = resourcePath(resource, { namespace, name });
    try {
      return await this.#json<T>('GET', options.fromCache ? withQuery(path, { resourceVersion: '0' }) : path, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    options: ListCallOptions = {},
  ): Promise<KubeList<T>> {
    const path = resourcePath(resource, { namespace });
    const accept = options.metadataOnly ? METADATA_LIST : JSON_TYPE;
    // With both a limit and a resourceVersion the server would answer the state at exactly that version, if it still can.
    const limit = options.resourceVersion === undefined ? (options.limit ?? PAGE) : undefined;
    const selectors = { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector };
    const deadlineMs = this.#clock.monotonic() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const page = (query: Query): Promise<KubeList<T>> =>
      this.#json('GET', withQuery(path, { ...selectors, ...query }), {
        ...options,
        accept,
        timeoutMs: Math.max(1, deadlineMs - this.#clock.monotonic()),
      });

    let answer = await page({ limit, resourceVersion: options.resourceVersion });
    let items: T[] | undefined;
    while (answer.metadata.continue) {
      items ??= [...(answer.items ?? [])];
      let next: KubeList<T>;
      try {
        next = await page({ limit, continue: answer.metadata.continue });
      } catch (error) {
        if (!isExpired(error)) throw error;
        // Too many changes since the first page: take all in one, as client-go's pager does.
        answer = await page({});
        items = undefined;
        break;
      }
      for (const item of next.items ?? []) items.push(item);
      answer = next;
    }
    return completeList(resource, answer, items ?? answer.items ?? []);
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T, options: CallOptions = {}): Promise<T> {
    const namespace = namespaceOf(resource, object);
    return this.#json('POST', withQuery(resourcePath(resource, { namespace }), dryRun(options)), {
      ...options,
      body: object,
    });
  }

  async update<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: CallOptions & { readonly subresource?: string | undefined } = {},
  ): Promise<T> {
    const path = resourcePath(resource, { ...identify(resource, object), subresource: options.subresource });
    return this.#json('PUT', withQuery(path, dryRun(options)), { ...options, body: object });
  }

  async mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    patch: object,
    options: CallOptions & { readonly subresource?: string | undefined } = {},
  ): Promise<T> {
    const path = resourcePath(resource, { namespace, name, subresource: options.subresource });
    const contentType = 'application/merge-patch+json';
    return this.#json('PATCH', withQuery(path, dryRun(options)), { ...options, contentType, body: patch });
  }

  async apply<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: CallOptions & { readonly fieldManager: string; readonly subresource?: string | undefined },
  ): Promise<T> {
    const path = resourcePath(resource, { ...identify(resource, object), subresource: options.subresource });
    const query = { fieldManager: options.fieldManager, force: true, ...dryRun(options) };
    const contentType = 'application/apply-patch+yaml';
    return this.#json('PATCH', withQuery(path, query), { ...options, contentType, body: object });
  }

  async delete(
    resource: Resource,
    namespace: string,
    name: string,
    options: CallOptions & {
      readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
      readonly uid?: string | undefined;
    } = {},
  ): Promise<boolean> {
    const { propagationPolicy, uid } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    };
    try {
      const path = withQuery(resourcePath(resource, { namespace, name }), dryRun(options));
      await this.#send('DELETE', path, { ...options, body });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async request(
    method: string,
    path: string,
    options: CallOptions & {
      readonly body?: unknown;
      readonly contentType?: string | undefined;
      readonly accept?: string | undefined;
    } = {},
  ): Promise<{ readonly status: number; readonly body: string }> {
    const { status, body } = await this.#send(method, path, options);
    return { status, body };
  }

  async *watch<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    options: WatchCallOptions,
  ): AsyncIterable<WatchEvent<T>> {
    const path = withQuery(resourcePath(resource, { namespace }), {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion === '' ? undefined : options.resourceVersion,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      timeoutSeconds: options.timeoutSeconds,
    });
    const context = `WATCH ${path.replace(/\?.*/, '')}`;
    const { signal } = options;
    const call: Call = {
      method: 'GET',
      path,
      accept: options.metadataOnly ? METADATA_ONE : JSON_TYPE,
      signal,
      timeoutMs: DEFAULT_TIMEOUT_MS,
      maxBytes: Number.MAX_SAFE_INTEGER,
    };
    const startedMs = this.#clock.monotonic();
    try {
      const answer = await this.#transport.open(call);
      this.#observe?.('WATCH', answer.status, (this.#clock.monotonic() - startedMs) / 1000);
      try {
        if (answer.status !== 200) throw newApiError(context, answer.status, await readText(answer.chunks));
        for await (const event of readWatchEvents<T>(answer.chunks, context)) {
          if (options.metadataOnly && event.type !== 'BOOKMARK') completeObject(resource, event.object);
          yield event;
        }
      } finally {
        answer.destroy();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ConnectionError) this.#observe?.('WATCH', 0, (this.#clock.monotonic() - startedMs) / 1000);
      throw error;
    }
  }

  close(): void {
    this.#transport.close();
  }

  async #json<A>(method: string, path: string, options: SendOptions): Promise<A> {
    const { body } = await this.#send(method, path, options);
    try {
      return JSON.parse(body) as A;
    } catch (error) {
      // The parser's message quotes the text, which may be that of a Secret.
      throw new ProtocolError(`${method} ${path}: the answer is not JSON (${body.length} characters)`, {
        cause: error instanceof SyntaxError ? undefined : error,
      });
    }
  }

  /** Sends, and sends again where that can do no harm: see `#retryDelayMs`. @throws ApiError for what is no 2xx. */
  async #send(method: string, path: string, options: SendOptions): Promise<Answer> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const startedMs = this.#clock.monotonic();
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    let resets = 0;
    let throttles = 0;
    for (;;) {
      const beganMs = this.#clock.monotonic();
      const remainingMs = timeoutMs - (beganMs - startedMs);
      let failure: ApiError | ConnectionError;
      try {
        const answer = await this.#transport.send({
          method,
          path,
          accept: options.accept ?? JSON_TYPE,
          contentType: options.contentType,
          body,
          signal: options.signal,
          timeoutMs: remainingMs,
          maxBytes: this.#maxBytes,
        });
        this.#observe?.(method, answer.status, (this.#clock.monotonic() - beganMs) / 1000);
        if (answer.status >= 200 && answer.status < 300) return answer;
        failure = newApiError(`${method} ${path.replace(/\?.*/, '')}`, answer.status, answer.body, answer.retryAfter);
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
        this.#observe?.(method, 0, (this.#clock.monotonic() - beganMs) / 1000);
        failure = error;
      }
      const attempt = failure instanceof ApiError ? throttles++ : resets++;
      const delayMs = this.#retryDelayMs(method, failure, attempt);
      if (delayMs === undefined || this.#clock.monotonic() - startedMs + delayMs >= timeoutMs) throw failure;
      await this.#clock.sleep(delayMs, options.signal);
    }
  }

  /** How long to wait before the same call again, undefined: not at all. `attempt` counts earlier failures of this sort. */
  #retryDelayMs(method: string, failure: ApiError | ConnectionError, attempt: number): number | undefined {
    if (failure instanceof ApiError) {
      // Throttled calls were not begun, so that any of them may be repeated.
      if (failure.code !== 429 || attempt >= MAX_THROTTLES) return undefined;
      return failure.retryAfterMs ?? 1000;
    }
    if (!IDEMPOTENT.has(method) || !RETRY_CODES.has(failure.code) || attempt >= MAX_RESETS) return undefined;
    // A kept-alive connection that the server closed meanwhile is the usual reason: the first repeat comes at once.
    return attempt === 0 ? 0 : backoffDelayMs(attempt, { initialMs: 50, maxMs: 1000, jitter: 0.5 }, this.#random);
  }
}

function dryRun(options: CallOptions): Query {
  return options.dryRun ? { dryRun: 'All' } : {};
}

function namespaceOf(resource: Resource, object: KubeObject): string {
  const namespace = object.metadata.namespace ?? '';
  if (resource.namespaced && namespace === '')
    throw new RangeError(`${resource.kind} ${object.metadata.name ?? ''} needs a namespace`);
  return namespace;
}

function identify(resource: Resource, object: KubeObject): { readonly namespace: string; readonly name: string } {
  const { name } = object.metadata;
  if (name === undefined) throw new RangeError(`a ${resource.kind} without name`);
  return { namespace: namespaceOf(resource, object), name };
}

/** Items of a list do not repeat what they are; everybody who takes one expects it. The list was parsed for us alone, so it is filled in place. */
function completeList<T extends KubeObject>(
  resource: Resource<T>,
  list: KubeList<T>,
  items: readonly T[],
): KubeList<T> {
  for (const item of items) completeObject(resource, item);
  return { apiVersion: apiVersionOf(resource), kind: `${resource.kind}List`, metadata: list.metadata, items };
}

function completeObject(resource: Resource, object: { -readonly [K in keyof KubeObject]: KubeObject[K] }): void {
  object.apiVersion = apiVersionOf(resource);
  object.kind = resource.kind;
}

async function readText(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size > 65_536) break;
  }
  return Buffer.concat(parts).toString('utf8');
}
