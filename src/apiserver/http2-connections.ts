import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { constants, createServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';

/** As many as Go's servers allow. */
const maxConcurrentStreams = 1_000;
const idleMs = 120_000;
/** Node allows 128 headers; the groups of a user come as a header each. */
const maxHeaderPairs = 16_384;
const maxHeaderBytes = 256 * 1024;
/** What the streams of one connection may hold in memory, in MB; kube-apiserver's proxy brings all of its clients on few. */
const maxSessionMemoryMb = 256;

/** The response as the handlers know it from HTTP/1.1. */
class Response extends Http2ServerResponse {
  /** Half an answer must not look like a whole one. */
  override destroy(error?: Error): this {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return super.destroy(error);
  }
}
// The types promise it, but Node's class has none.
Object.defineProperty(Response.prototype, 'destroyed', {
  get(this: Response): boolean {
    return this.stream.destroyed;
  },
});

/** Connections that speak HTTP/2. Their requests and responses look like those of HTTP/1.1 to the handler. */
export class Http2Connections {
  readonly #server: Http2Server<never, never, typeof Http2ServerRequest, typeof Response>;
  readonly #sessions = new Set<ServerHttp2Session>();
  #draining = false;

  constructor(handler: RequestListener) {
    this.#server = createServer(
      {
        settings: { maxConcurrentStreams, maxHeaderListSize: maxHeaderBytes, enablePush: false },
        maxHeaderListPairs: maxHeaderPairs,
        maxSessionMemory: maxSessionMemoryMb,
        Http2ServerResponse: Response,
      },
      (request, response) => {
        // A reset stream is nothing to fall over; who waits for the request learns of it from the response's `close`.
        request.on('error', ignore);
        response.on('error', ignore);
        handler(request as unknown as IncomingMessage, response as unknown as ServerResponse);
      },
    );
    this.#server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      session.on('error', ignore);
      let open = 0;
      session.on('stream', (stream: ServerHttp2Stream) => {
        open++;
        stream.once('close', () => open--);
      });
      // Silence is no sign of idleness while a watch is open.
      session.setTimeout(idleMs, () => {
        if (open === 0) session.close();
      });
      if (this.#draining) session.close();
    });
  }

  take(socket: TLSSocket): void {
    this.#server.emit('connection', socket);
  }

  /** Tells every client to go elsewhere with its next request, and closes each connection after its last answer. */
  drain(): void {
    this.#draining = true;
    for (const session of this.#sessions) session.close();
  }

  destroy(): void {
    for (const session of this.#sessions) session.destroy();
  }
}

function ignore(): void {}

/** What requests of one connection have in common, to keep things by. */
export function connectionOf(request: IncomingMessage): object {
  if (!(request instanceof Http2ServerRequest)) return request.socket;
  return request.stream.session ?? request.stream;
}

/** Has the client open a new connection for its next request. */
export function closeAfterAnswer(request: IncomingMessage, response: ServerResponse): void {
  if (request instanceof Http2ServerRequest) request.stream.session?.close();
  else response.setHeader('Connection', 'close');
}

/** What is left of the body is not read: the client need not send it. */
export function refuseBody(request: IncomingMessage, response: ServerResponse): void {
  if (request instanceof Http2ServerRequest) {
    const { stream } = request;
    response.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
  } else response.setHeader('Connection', 'close');
}
