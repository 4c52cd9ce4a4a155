import { Metadata, type Client, type ClientDuplexStream } from '@grpc/grpc-js';
import { systemClock, type Clock } from '../base/clock.ts';
import { abortReason } from '../base/deadline.ts';
import { ETCD, EtcdCallError, isEtcdAnswer } from './call-error.ts';
import { formatAddress, openChannel, type EtcdAddress, type EtcdTls } from './channel.ts';
import { methodCodec, type EtcdAnswer, type EtcdMethod, type EtcdRequest } from './rpc.ts';

export interface EtcdServer {
  readonly address: EtcdAddress;
  readonly secure: boolean;
}

export interface EtcdUser {
  readonly name: string;
  readonly password: string;
}

/** What may change while a client is in use. */
export interface EtcdCredentials {
  readonly tls: EtcdTls;
  /** Absent: the client certificate says who we are, or nobody asks. */
  readonly user?: EtcdUser | undefined;
}

export interface EtcdClientOptions {
  readonly servers: readonly EtcdServer[];
  readonly credentials: EtcdCredentials;
  readonly clock?: Clock | undefined;
  /** How long a call may take with all its attempts. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /**
   * `always` (default): asked again of another server when one does not answer, for what may be asked twice. `unsent`: only when it is
   * certain that no server has seen it.
   */
  readonly retry?: 'always' | 'unsent' | undefined;
}

export type EtcdStream = ClientDuplexStream<EtcdRequest<'Watch.Watch'>, EtcdAnswer<'Watch.Watch'>>;

/** A server that swallows packets must leave time for the others. */
const SHORTEST_ATTEMPT_MS = 1_000;
/** A restart of etcd is waited for this long, where no server has seen the request; then the caller had better know. */
const PATIENCE_MS = 3_000;
const PATIENCE_PAUSE_MS = 50;
/** Attempts with a new token, or after another change to etcd's users came between. */
const MAX_AUTH_ATTEMPTS = 4;

/** Channels of one set of credentials. Streams have channels of their own: one that is read slowly must not hold up calls. */
interface Connections {
  readonly calls: readonly Client[];
  readonly streams: readonly Client[];
  readonly user: EtcdUser | undefined;
  token: Promise<string> | undefined;
}

/** gRPC to the servers of one etcd. Sends to the server that answered last and goes on to the next when it does not. */
export class EtcdClient {
  readonly #servers: readonly EtcdServer[];
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #connections: Connections;
  #preferred = 0;
  #preferredStream = 0;

  /** Opens no socket yet. @throws Error for PEM that cannot be used, TypeError without servers */
  constructor(options: EtcdClientOptions) {
    if (options.servers.length === 0) throw new TypeError('an etcd without servers');
    this.#servers = options.servers;
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#connections = this.#open(options.credentials);
  }

  /** Goes on with other credentials; what is under way ends with the old. @throws Error for PEM that cannot be used */
  useCredentials(credentials: EtcdCredentials): void {
    const old = this.#connections;
    this.#connections = this.#open(credentials);
    closeAll(old);
  }

  /** No call may follow. What is under way fails. */
  close(): void {
    closeAll(this.#connections);
  }

  /** @throws EtcdCallError, or the reason of an aborted signal */
  async call<M extends EtcdMethod>(
    method: M,
    request: EtcdRequest<M>,
    options: CallOptions = {},
  ): Promise<EtcdAnswer<M>> {
    const deadline = this.#clock.monotonic() + (options.timeoutMs ?? this.#timeoutMs);
    const patience = this.#clock.monotonic() + PATIENCE_MS;
    for (let attempt = 1; ; attempt++) {
      const connections = this.#connections;
      const token = connections.token;
      try {
        return await this.#callAny(connections, method, request, deadline, options);
      } catch (error) {
        if (error instanceof EtcdCallError && error.notSent && this.#clock.monotonic() < Math.min(patience, deadline)) {
          attempt -= 1;
          await this.#clock.sleep(PATIENCE_PAUSE_MS, options.signal);
          continue;
        }
        if (!this.#mayAuthenticate(connections, token, error) || attempt >= MAX_AUTH_ATTEMPTS) throw error;
        if (this.#clock.monotonic() >= deadline) throw error;
        // Other users or roles change at this moment.
        if (isEtcdAnswer(error, ETCD.authOldRevision)) await this.#clock.sleep(5 * 2 ** attempt, options.signal);
      }
    }
  }

  /**
   * Opens a stream for watches on the preferred server. It ends with an error when the server cannot be reached; say so with
   * `streamFailed`, and the next goes elsewhere. @throws EtcdCallError when no token is to be had
   */
  async openStream(): Promise<EtcdStream> {
    const connections = this.#connections;
    const index = this.#preferredStream % connections.streams.length;
    const metadata = await this.#metadata(connections, index, this.#clock.monotonic() + this.#timeoutMs);
    // A member that is cut off from the others would never send anything, and not say so.
    metadata.set('hasleader', 'true');
    const codec = methodCodec('Watch.Watch');
    const stream = connections.streams[index]!.makeBidiStreamRequest(
      codec.path,
      codec.serialize,
      codec.deserialize,
      metadata,
    );
    return stream;
  }

  /** After a stream, or a watch on it, has ended with `details`. */
  streamFailed(details: string): void {
    if (new Set<string>([ETCD.invalidToken, ETCD.authOldRevision, ETCD.userEmpty]).has(details)) {
      this.#connections.token = undefined;
    } else {
      this.#preferredStream = (this.#preferredStream + 1) % this.#servers.length;
    }
  }

  #open({ tls, user }: EtcdCredentials): Connections {
    const open = (server: EtcdServer): Client =>
      openChannel(server.address, server.secure ? tls : undefined, {
        'grpc.max_receive_message_length': -1,
        'grpc.max_send_message_length': -1,
        'grpc.max_reconnect_backoff_ms': 1_000,
        'grpc-node.flow_control_window': 1024 * 1024,
        // Connections are shared by credentials and options alone otherwise, also between calls and streams.
        'grpc.use_local_subchannel_pool': 1,
      });
    return { calls: this.#servers.map(open), streams: this.#servers.map(open), user, token: undefined };
  }

  async #callAny<M extends EtcdMethod>(
    connections: Connections,
    method: M,
    request: EtcdRequest<M>,
    deadline: number,
    options: CallOptions,
  ): Promise<EtcdAnswer<M>> {
    const count = this.#servers.length;
    const first = this.#preferred;
    let failure: EtcdCallError | undefined;
    for (let step = 0; step < count; step++) {
      const index = (first + step) % count;
      const leftMs = deadline - this.#clock.monotonic();
      if (failure !== undefined && leftMs <= 0) break;
      const attemptMs = Math.max(leftMs / (count - step), Math.min(leftMs, SHORTEST_ATTEMPT_MS));
      const until = this.#clock.monotonic() + attemptMs;
      let sent = false;
      try {
        const metadata = await this.#metadata(connections, index, until);
        sent = true;
        const answer = await this.#callOne(connections, index, method, request, metadata, attemptMs, options.signal);
        this.#preferred = index;
        return answer;
      } catch (error) {
        const goOn =
          error instanceof EtcdCallError && error.tryNext && (options.retry !== 'unsent' || !sent || error.notSent);
        if (!goOn) throw error;
        failure ??= error;
      }
    }
    throw failure ?? new Error('an etcd without servers');
  }

  #callOne<M extends EtcdMethod>(
    connections: Connections,
    index: number,
    method: M,
    request: EtcdRequest<M>,
    metadata: Metadata,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<EtcdAnswer<M>> {
    const codec = methodCodec(method);
    const name = formatAddress(this.#servers[index]!.address);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      const call = connections.calls[index]!.makeUnaryRequest(
        codec.path,
        codec.serialize,
        codec.deserialize,
        request,
        metadata,
        // gRPC's deadlines are moments of the wall clock.
        { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          signal?.removeEventListener('abort', abort);
          if (error !== null) reject(signal?.aborted ? abortReason(signal) : new EtcdCallError(error, name));
          else resolve(answer!);
        },
      );
      const abort = (): void => call.cancel();
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** With a token when we have a name to show. @throws EtcdCallError */
  async #metadata(connections: Connections, index: number, deadline: number): Promise<Metadata> {
    const metadata = new Metadata();
    const { user } = connections;
    if (user === undefined) return metadata;
    connections.token ??= this.#authenticate(connections, index, user, deadline);
    const pending = connections.token;
    try {
      const token = await pending;
      if (token !== '') metadata.set('token', token);
    } catch (error) {
      if (connections.token === pending) connections.token = undefined;
      throw error;
    }
    return metadata;
  }

  /** A token; empty when etcd asks nobody who he is. */
  async #authenticate(
    connections: Connections,
    index: number,
    { name, password }: EtcdUser,
    deadline: number,
  ): Promise<string> {
    // Others may wait for the same token: nobody's signal ends it.
    const leftMs = Math.max(1, deadline - this.#clock.monotonic());
    try {
      const request = { name, password };
      const none = new Metadata();
      const answer = await this.#callOne(connections, index, 'Auth.Authenticate', request, none, leftMs, undefined);
      return answer.token;
    } catch (error) {
      if (isEtcdAnswer(error, ETCD.authNotEnabled)) return '';
      throw error;
    }
  }

  /** Whether the call may go through with a new token; forgets the old one then. */
  #mayAuthenticate(connections: Connections, token: Promise<string> | undefined, error: unknown): boolean {
    if (isEtcdAnswer(error, ETCD.authOldRevision)) {
      if (connections.token === token) connections.token = undefined;
      return true;
    }
    if (connections.user === undefined || !isEtcdAnswer(error, ETCD.invalidToken, ETCD.userEmpty)) return false;
    if (connections.token === token) connections.token = undefined;
    return true;
  }
}

function closeAll({ calls, streams }: Connections): void {
  for (const client of [...calls, ...streams]) client.close();
}
