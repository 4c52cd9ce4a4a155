import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { TestServer } from './testing/test-server.ts';
import { widgetDefinition } from './testing/widget.ts';

const widgets = '/apis/own.example.com/v1/namespaces/default/widgets';
const widget = { apiVersion: 'own.example.com/v1', kind: 'Widget', metadata: { name: 'a' }, spec: { size: 3 } };

let server: TestServer;
afterEach(() => server.close());

describe('a request that takes too long', () => {
  test('does not take the next request of its connection with it', async () => {
    server = await TestServer.open({ definitions: [widgetDefinition] });
    const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const body = JSON.stringify(widget);
    const before = server.clock.pendingTimers;
    // The body comes too late.
    socket.write(
      `POST ${widgets}?timeout=1s HTTP/1.1\r\nHost: x\r\nX-Test-User: jane\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    await expect.poll(() => server.clock.pendingTimers).toBeGreaterThan(before);
    const refused = answerOf(socket);
    await server.clock.advance(2_000);
    expect(await refused).toContain('HTTP/1.1 504');
    const next = answerOf(socket);
    socket.write(`${body}GET /version HTTP/1.1\r\nHost: x\r\nX-Test-User: jane\r\n\r\n`);
    expect(await next).toContain('HTTP/1.1 200');
    socket.destroy();
  });
});

/** The next piece that comes, or nothing when the connection is closed. */
function answerOf(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8')));
    socket.once('close', () => resolve('closed'));
  });
}
