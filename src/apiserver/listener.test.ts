import { connect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../base/fake-clock.ts';
import { Listener } from './listener.ts';
import { newTlsMaterial, TestServer } from './testing/test-server.ts';
import { widgetDefinition } from './testing/widget.ts';
import type { TlsMaterial } from './tls-source.ts';

function shownCertificate(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('a new certificate is shown to new connections, without a restart', async () => {
  const clock = new FakeClock();
  const materials = [await newTlsMaterial(clock), await newTlsMaterial(clock)] as const;
  let change: ((material: TlsMaterial) => void) | undefined;
  const tls = {
    current: () => materials[0],
    onChange: (listener: (material: TlsMaterial) => void) => {
      change = listener;
      return () => (change = undefined);
    },
  };
  const listener = await Listener.open(
    { host: '127.0.0.1', port: 0, tls },
    (_request, response) => response.end(),
    clock,
  );
  const before = await shownCertificate(listener.address.port);
  change!(materials[1]);
  const after = await shownCertificate(listener.address.port);
  expect(after).not.toBe(before);
  await listener.close(0);
  expect(change).toBeUndefined();
});

test('a taken port is told', async () => {
  const clock = new FakeClock();
  const tls = { current: () => material, onChange: () => () => undefined };
  const material = await newTlsMaterial(clock);
  const first = await Listener.open({ host: '127.0.0.1', port: 0, tls }, (_request, response) => response.end(), clock);
  await expect(
    Listener.open({ host: '127.0.0.1', port: first.address.port, tls }, () => undefined, clock),
  ).rejects.toThrow('EADDRINUSE');
  await first.close(0);
});

describe('a client that reads nothing', () => {
  let server: TestServer;
  afterEach(() => server.close());

  test('is cut off, and nobody else is held up', async () => {
    server = await TestServer.open({ definitions: [widgetDefinition] });
    const path = '/apis/own.example.com/v1/namespaces/default/widgets';
    const body = {
      apiVersion: 'own.example.com/v1',
      kind: 'Widget',
      metadata: { name: 'a', annotations: { a: 'x'.repeat(200_000) } },
      spec: { size: 1 },
    };
    expect((await server.call('POST', path, { body })).code).toBe(201);
    const stalled = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () => {
      stalled.write(`GET ${path}?watch=true HTTP/1.1\r\nhost: x\r\nx-test-user: jane\r\n\r\n`);
    });
    const closed = new Promise<void>(
      (resolve) => void stalled.on('error', () => undefined).on('close', () => resolve()),
    );
    await new Promise((resolve) => void stalled.once('readable', () => resolve(undefined)));
    for (let i = 0; i < 60; i++) {
      const headers = { 'content-type': 'application/merge-patch+json' };
      const patched = await server.call('PATCH', `${path}/a`, { body: { spec: { size: 2 + i } }, headers });
      expect(patched.code).toBe(200);
    }
    await server.clock.advance(31_000);
    // Only now does it read on, to find out that the stream has ended.
    stalled.resume();
    await closed;
    expect(server.complaints).toEqual([]);
  });
});
