import { once } from 'node:events';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

export interface WireAnswer {
  readonly code: number;
  /** Lower-cased names; a name that comes twice keeps its last value. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly elapsedMs: number;
}

/** What went over the wire and was no answer. */
export class WireError extends Error {}

/**
 * HTTP/1.1 written by hand, because a client library would not send what these tests send. One request at a time; the connection
 * is kept while the server keeps it.
 */
export class RawConnection {
  readonly #options: ConnectionOptions;
  #socket: TLSSocket | undefined;
  #received = Buffer.alloc(0);
  #wake: () => void = () => undefined;

  constructor(options: ConnectionOptions) {
    this.#options = { rejectUnauthorized: false, ...options };
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  /**
   * Sends `bytes` as they are and reads one answer; undefined when the server closed the connection without one.
   * `half`: says that nothing more comes after the bytes. `bodiless`: the answer to HEAD tells of a body and has none.
   * @throws WireError when no answer comes in time, or what comes is none
   */
  async send(
    bytes: Buffer,
    options: { readonly half?: boolean; readonly bodiless?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<WireAnswer | undefined> {
    const began = performance.now();
    const deadline = began + (options.timeoutMs ?? 5_000);
    const socket = await this.#open();
    socket.write(bytes);
    if (options.half === true) socket.end();
    const head = await this.#until(() => this.#received.indexOf('\r\n\r\n'), deadline);
    if (head === undefined) {
      this.close();
      return undefined;
    }
    const answer = parseHead(this.#received.subarray(0, head).toString('latin1'));
    this.#received = this.#received.subarray(head + 4);
    if (answer.code === 100) throw new WireError('the server asked for more');
    const isBodiless = options.bodiless === true || answer.code === 304 || answer.code === 204;
    const body = isBodiless ? Buffer.alloc(0) : await this.#body(answer.headers, deadline);
    if (answer.headers.get('connection') === 'close' || options.half === true) this.close();
    return { ...answer, body, elapsedMs: performance.now() - began };
  }

  async #open(): Promise<TLSSocket> {
    if (this.#socket !== undefined && !this.#socket.destroyed && !this.#socket.readableEnded) return this.#socket;
    const socket = connect(this.#options);
    this.#socket = socket;
    this.#received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('error', () => this.#wake());
    socket.on('close', () => this.#wake());
    await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]);
    return socket;
  }

  /** Waits until `find` answers a position; undefined when the connection is over before. */
  async #until(find: () => number, deadline: number): Promise<number | undefined> {
    for (;;) {
      const found = find();
      if (found >= 0) return found;
      if (this.#socket === undefined || this.#socket.destroyed) return undefined;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0)
        throw new WireError(`no answer in time; so far: ${this.#received.toString('latin1').slice(0, 200)}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, leftMs);
      await promise;
      clearTimeout(timer);
    }
  }

  async #body(headers: ReadonlyMap<string, string>, deadline: number): Promise<Buffer> {
    if (headers.get('transfer-encoding') === 'chunked') return this.#chunks(deadline);
    const length = Number(headers.get('content-length') ?? 0);
    await this.#need(length, deadline);
    return this.#take(length);
  }

  async #chunks(deadline: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const end = await this.#until(() => this.#received.indexOf('\r\n'), deadline);
      if (end === undefined) throw new WireError('the answer broke off');
      const size = Number.parseInt(this.#take(end + 2).toString('latin1'), 16);
      if (Number.isNaN(size)) throw new WireError('a chunk without a size');
      await this.#need(size + 2, deadline);
      const chunk = this.#take(size + 2);
      if (size === 0) return Buffer.concat(parts);
      parts.push(chunk.subarray(0, size));
    }
  }

  async #need(length: number, deadline: number): Promise<void> {
    const enough = await this.#until(() => (this.#received.length >= length ? length : -1), deadline);
    if (enough === undefined) throw new WireError('the answer broke off');
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }
}

function parseHead(text: string): { readonly code: number; readonly headers: ReadonlyMap<string, string> } {
  const [status = '', ...lines] = text.split('\r\n');
  const code = Number(/^HTTP\/1\.1 (\d{3})/.exec(status)?.[1]);
  if (Number.isNaN(code)) throw new WireError(`no answer of HTTP: ${status.slice(0, 200)}`);
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { code, headers: new Map(headers) };
}
