import { constants } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { Server, ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { Http2Connections } from './http2-connections.ts';
import type { TlsMaterial, TlsSource } from './tls-source.ts';

export interface ListenOptions {
  /** Default all addresses. */
  readonly host?: string;
  /** 0 chooses a free one. */
  readonly port: number;
  readonly tls: TlsSource;
}

/**
 * One TLS port with HTTP/2, which kube-apiserver's proxy speaks, and HTTP/1.1 on it: two servers, to which connections are handed
 * by what the client chose. docs/decisions/0007.
 */
export class Listener {
  readonly #server: Server;
  readonly #http2: Http2Connections;
  readonly #clock: Clock;
  readonly #forgetTls: () => void;
  #closing = false;

  private constructor(server: Server, http2: Http2Connections, clock: Clock, forgetTls: () => void) {
    this.#server = server;
    this.#http2 = http2;
    this.#clock = clock;
    this.#forgetTls = forgetTls;
    server.on('request', (_request, response) => {
      if (this.#closing) response.shouldKeepAlive = false;
      response.once('close', () => {
        // The last answer of a connection: Node would keep it open for the next request.
        if (this.#closing) setImmediate(() => server.closeIdleConnections());
      });
    });
  }

  /** @throws Error when the port is taken or the certificate is none */
  static async open(options: ListenOptions, handler: RequestListener, clock: Clock): Promise<Listener> {
    const server = createServer(serverOptions(options.tls.current()), handler);
    // One that stays silent for two minutes is closed; kube-apiserver drops its idle connections after 90 s, so never first.
    server.keepAliveTimeout = 120_000;
    server.headersTimeout = 15_000;
    server.requestTimeout = 65_000;
    server.maxRequestsPerSocket = 0;
    const http2 = new Http2Connections(handler);
    routeByProtocol(server, http2);
    const forgetTls = options.tls.onChange((material) => server.setSecureContext(secureContext(material)));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, options.host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new Listener(server, http2, clock, forgetTls);
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /** Takes no new connections, waits up to `drainMs` for running requests and closes the rest. */
  async close(drainMs: number): Promise<void> {
    this.#forgetTls();
    this.#closing = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    this.#http2.drain();
    const timer = this.#clock.setTimer(drainMs, () => {
      this.#server.closeAllConnections();
      this.#http2.destroy();
    });
    await closed;
    timer.cancel();
  }
}

/** Takes the connections of HTTP/2 away from the server of HTTP/1.1 before it sees them. */
function routeByProtocol(server: Server, http2: Http2Connections): void {
  const listeners = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') http2.take(socket);
    else for (const listener of listeners) listener.call(server, socket);
  });
}

function secureContext(material: TlsMaterial): ServerOptions {
  return {
    key: material.key,
    cert: material.cert,
    minVersion: 'TLSv1.2',
    // A resumed session may come without the client's certificate, which is who the client is.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

function serverOptions(material: TlsMaterial): ServerOptions {
  return {
    ...secureContext(material),
    // Asked for, but judged by the authenticators: there are several authorities, and some clients show none.
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
    // Go's servers take 1 MiB of headers; a user in thousands of groups needs more than Node's 16 KiB.
    maxHeaderSize: 256 * 1024,
    handshakeTimeout: 10_000,
    noDelay: true,
  };
}
