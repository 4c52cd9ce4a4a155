import { Metadata, type Client } from '@grpc/grpc-js';
import { systemClock } from '../../../../base/clock.ts';
import { abortReason } from '../../../../base/deadline.ts';
import { ETCD, EtcdCallError, isEtcdAnswer } from '../../../../etcdclient/call-error.ts';
import { openChannel } from '../../../../etcdclient/channel.ts';
import { methodCodec, type EtcdAnswer, type EtcdMethod, type EtcdRequest } from '../../../../etcdclient/rpc.ts';
import { DataStoreError } from '../data-store-error.ts';
import type { DataStoreConnection, DriverCallOptions, DriverOptions } from '../driver.ts';
import { formatEndpoint, parseEndpoint, type Endpoint } from '../endpoints.ts';
import { toDataStoreError } from './errors.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_IDLE_MS = 60_000;
/** A server that swallows packets must leave time for the others. */
const SHORTEST_ATTEMPT_MS = 1_000;

/** gRPC to all servers of one etcd. Sends to the server that answered last and goes on to the next when it does not. */
export class EtcdConnection {
  readonly #servers: readonly { readonly name: string; readonly client: Client }[];
  readonly #timeoutMs: number;
  #preferred = 0;

  /** Opens no socket yet. Throws DataStoreError ConfigurationInvalid or CredentialInvalid. */
  constructor(connection: DataStoreConnection, options: DriverOptions = {}) {
    const { tls } = connection;
    if (tls?.client === undefined) {
      throw new DataStoreError('ConfigurationInvalid', 'spec.tlsConfig.clientCertificate: etcd needs one');
    }
    if (connection.endpoints.length === 0) {
      throw new DataStoreError('ConfigurationInvalid', 'spec.endpoints: at least one is needed');
    }
    const endpoints = connection.endpoints.map((text, index) => parseEndpoint(text, `spec.endpoints[${index}]`));
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#servers = endpoints.map((endpoint) => ({
      name: formatEndpoint(endpoint),
      client: openClient(endpoint, tls.caCertificate, tls.client!, options.idleMs ?? DEFAULT_IDLE_MS),
    }));
  }

  get serverNames(): readonly string[] {
    return this.#servers.map((server) => server.name);
  }

  /**
   * Asks any server. Throws DataStoreError; answers of etcd that are in `expected` come as EtcdCallError instead, for
   * `isEtcdAnswer`.
   */
  async call<M extends EtcdMethod>(
    method: M,
    request: EtcdRequest<M>,
    options: DriverCallOptions & { readonly expected?: readonly string[] } = {},
  ): Promise<EtcdAnswer<M>> {
    const deadline = Date.now() + this.#timeoutMs;
    for (let delayMs = 5; ; delayMs = Math.min(delayMs * 2, 100)) {
      try {
        return await this.#callAny(method, request, deadline, options);
      } catch (error) {
        if (!(error instanceof EtcdCallError)) throw error;
        if (options.expected?.includes(error.details)) throw error;
        // Another tenant's user or role changed between etcd's taking the request and its doing it.
        const again = isEtcdAnswer(error, ETCD.authOldRevision) && Date.now() + delayMs < deadline;
        if (!again) throw toDataStoreError(error);
        await systemClock.sleep(delayMs, options.signal);
      }
    }
  }

  /** Asks every server on its own; the answers are in the order of `serverNames`. */
  async callEach<M extends EtcdMethod>(
    method: M,
    request: EtcdRequest<M>,
    options: DriverCallOptions = {},
  ): Promise<readonly (EtcdAnswer<M> | DataStoreError)[]> {
    const deadline = Date.now() + this.#timeoutMs;
    return Promise.all(
      this.#servers.map((_, index) =>
        this.#callOne(index, method, request, deadline, options.signal).catch((error: unknown) => {
          if (error instanceof EtcdCallError) return toDataStoreError(error);
          throw error;
        }),
      ),
    );
  }

  /** No call may follow. */
  close(): void {
    for (const server of this.#servers) server.client.close();
  }

  async #callAny<M extends EtcdMethod>(
    method: M,
    request: EtcdRequest<M>,
    deadline: number,
    options: DriverCallOptions,
  ): Promise<EtcdAnswer<M>> {
    const count = this.#servers.length;
    const first = this.#preferred;
    let failure: EtcdCallError | undefined;
    for (let step = 0; step < count; step++) {
      const index = (first + step) % count;
      const leftMs = deadline - Date.now();
      if (failure !== undefined && leftMs <= 0) break;
      const attemptMs = Math.max(leftMs / (count - step), Math.min(leftMs, SHORTEST_ATTEMPT_MS));
      try {
        const answer = await this.#callOne(index, method, request, Date.now() + attemptMs, options.signal);
        this.#preferred = index;
        return answer;
      } catch (error) {
        if (!(error instanceof EtcdCallError) || !error.tryNext) throw error;
        failure ??= error;
      }
    }
    throw failure ?? new Error('an etcd without servers');
  }

  #callOne<M extends EtcdMethod>(
    index: number,
    method: M,
    request: EtcdRequest<M>,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<EtcdAnswer<M>> {
    const server = this.#servers[index]!;
    const codec = methodCodec(method);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      const call = server.client.makeUnaryRequest(
        codec.path,
        codec.serialize,
        codec.deserialize,
        request,
        new Metadata(),
        { deadline },
        (error, answer) => {
          signal?.removeEventListener('abort', abort);
          if (error !== null) reject(signal?.aborted ? abortReason(signal) : new EtcdCallError(error, server.name));
          else resolve(answer!);
        },
      );
      const abort = (): void => call.cancel();
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

function openClient(
  endpoint: Endpoint,
  caCertificate: string,
  client: { readonly certificate: string; readonly key: string },
  idleMs: number,
): Client {
  try {
    return openChannel(endpoint, { ca: caCertificate, ...client }, { 'grpc.client_idle_timeout_ms': idleMs });
  } catch {
    // OpenSSL's text is left out: it may quote what it could not read.
    throw new DataStoreError(
      'CredentialInvalid',
      'spec.tlsConfig: the certificates and the key cannot be used for TLS',
    );
  }
}
