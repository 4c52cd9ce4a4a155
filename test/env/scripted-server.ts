import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

/** A request as the server saw it, body read. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export type Handler = (request: SeenRequest, response: http.ServerResponse, raw: http.IncomingMessage) => unknown;

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly requests: SeenRequest[];
  handler: Handler;
  readonly server: http.Server;
  close(): Promise<void>;
}

/** A real HTTP(S) server on loopback that tests script. */
export async function startTestServer(handler: Handler, tls?: https.ServerOptions): Promise<TestServer> {
  const requests: SeenRequest[] = [];
  const listener = async (raw: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of raw) chunks.push(chunk as Buffer);
    const url = new URL(raw.url ?? '/', 'http://test');
    const seen: SeenRequest = {
      method: raw.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: raw.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    requests.push(seen);
    await started.handler(seen, response, raw);
  };
  const onRequest = (raw: http.IncomingMessage, response: http.ServerResponse): void => {
    listener(raw, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server = tls ? https.createServer(tls, onRequest) : http.createServer(onRequest);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const started: TestServer = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    handler,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return started;
}

export function answerJson(
  response: http.ServerResponse,
  status: number,
  body: unknown,
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function answerStatus(
  response: http.ServerResponse,
  code: number,
  reason: string,
  message: string,
  headers: http.OutgoingHttpHeaders = {},
): void {
  answerJson(
    response,
    code,
    { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message },
    headers,
  );
}
