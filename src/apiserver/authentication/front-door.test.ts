import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request, type RequestOptions } from 'node:https';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ChainLink, CLIENT_AUTH } from '../../../test/env/test-chain.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { createMetrics } from '../../base/metrics.ts';
import type { UserInfo } from '../registry/definition.ts';
import { createApiServer, type ApiServer } from '../server.ts';
import type { Storage } from '../storage/storage.ts';
import { fixedTlsSource } from '../tls-source.ts';
import { createClientCertificateAuthenticator } from './client-certificate.ts';
import { parseDelegatedSettings, type DelegatedSettings } from './delegated-config.ts';
import { createRequestHeaderAuthenticator } from './request-header.ts';

/** The whole way of a request, over real TLS connections: what reaches the authorizer is who we take the caller for. */

const client = { usages: [CLIENT_AUTH] };
const frontProxyCa = await ChainLink.root({ name: 'CN=front-proxy-ca' });
const clientCa = await ChainLink.root({ name: 'CN=client-ca' });
const proxy = await frontProxyCa.issue({ name: 'CN=front-proxy-client', ...client });
const jane = await clientCa.issue({ name: 'CN=jane,O=dev', ...client });

const settingsFor = (authority: ChainLink): DelegatedSettings =>
  parseDelegatedSettings({
    'client-ca-file': clientCa.certificate,
    'requestheader-client-ca-file': authority.certificate,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  });

let settings: DelegatedSettings;
let server: ApiServer;
let port: number;
let seen: UserInfo[];

beforeAll(async () => {
  const own = await ChainLink.root({ name: 'CN=localhost' });
  server = createApiServer({
    definitions: [],
    storage: { currentRevision: async () => 1 } as unknown as Storage,
    authenticators: [
      createRequestHeaderAuthenticator(() => settings.requestHeader, systemClock),
      createClientCertificateAuthenticator(() => settings.clientTrust, systemClock),
    ],
    authorizer: {
      authorize: async ({ user }) => {
        seen.push(user);
        return { allowed: true, reason: '' };
      },
    },
    admission: [],
    clock: systemClock,
    log: silentLogger,
    metrics: createMetrics(),
    version: '0.0.0',
  });
  const tls = fixedTlsSource({ key: own.key, cert: own.certificate });
  ({ port } = await server.start({ host: '127.0.0.1', port: 0, tls }));
});

afterAll(() => server.stop({ drainMs: 100 }));

beforeEach(() => {
  settings = settingsFor(frontProxyCa);
  seen = [];
});

/** Sends header lines exactly as given, repeated ones too. Answers status and who we took the caller for. */
async function call(
  options: { readonly as?: ChainLink; readonly headers?: readonly string[]; readonly agent?: Agent } = {},
) {
  const { as, headers = [], agent } = options;
  const identity: RequestOptions = as === undefined ? {} : { key: as.key, cert: as.certificate };
  const outgoing = request({
    host: '127.0.0.1',
    port,
    path: '/metrics',
    headers: ['Host', 'localhost', ...headers],
    rejectUnauthorized: false,
    agent: agent ?? false,
    ...identity,
  });
  outgoing.end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return { status: answer.statusCode, user: seen.pop() };
}

const asAdmin = ['X-Remote-User', 'admin', 'X-Remote-Group', 'system:masters'];

describe('the front door', () => {
  test('takes the front proxy at its word', async () => {
    const headers = [
      'X-Remote-User',
      'jane',
      'X-Remote-Group',
      'dev',
      'X-Remote-Group',
      'ops',
      'X-Remote-Extra-A%2Fb',
      'c',
    ];
    expect(await call({ as: proxy, headers })).toMatchObject({
      status: 200,
      user: { name: 'jane', groups: ['dev', 'ops', 'system:authenticated'], extra: { 'a/b': ['c'] } },
    });
  });

  test('does not split a group at its commas, nor join two lines into one', async () => {
    const headers = ['X-Remote-User', 'eve', 'X-Remote-Group', 'a, system:masters', 'x-remote-group', 'b'];
    const { user } = await call({ as: proxy, headers });
    expect(user?.groups).toEqual(['a, system:masters', 'b', 'system:authenticated']);
  });

  test('refuses a second user', async () => {
    expect(await call({ as: proxy, headers: ['X-Remote-User', 'eve', 'X-Remote-User', 'admin'] })).toEqual({
      status: 401,
      user: undefined,
    });
  });

  test('takes users with a certificate of the cluster for who that says, whatever their headers say', async () => {
    const { status, user } = await call({ as: jane, headers: asAdmin });
    expect(status).toBe(200);
    expect(user).toMatchObject({ name: 'jane', groups: ['dev', 'system:authenticated'] });
  });

  test.each([
    ['no certificate', async () => undefined],
    [
      "a certificate of somebody else with the proxy's names",
      async () => {
        const other = await ChainLink.root({ name: 'CN=front-proxy-ca' });
        return other.issue({ name: 'CN=front-proxy-client', ...client });
      },
    ],
    ['a name that the proxy does not have', () => frontProxyCa.issue({ name: 'CN=front-proxy-clients', ...client })],
    [
      'a certificate that has expired',
      () => frontProxyCa.issue({ name: 'CN=front-proxy-client', ...client, notAfter: new Date(Date.now() - 1000) }),
    ],
  ])('knows nobody who brings identity headers and %s', async (_what, identity) => {
    const as = await identity();
    expect(await call({ headers: asAdmin, ...(as && { as }) })).toEqual({ status: 401, user: undefined });
  });

  test('is not open to the front proxy without a user', async () => {
    expect((await call({ as: proxy, headers: ['X-Remote-Group', 'system:masters'] })).status).toBe(401);
  });

  test('follows a rotated authority while running: the new one at once, the old one no more, open connections included', async () => {
    const next = await ChainLink.root({ name: 'CN=front-proxy-ca' });
    const nextProxy = await next.issue({ name: 'CN=front-proxy-client', ...client });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const nextAgent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect((await call({ as: proxy, headers: asAdmin, agent })).user?.name).toBe('admin');
    expect((await call({ as: nextProxy, headers: asAdmin, agent: nextAgent })).status).toBe(401);
    // Both at first, as a careful rotation does.
    settings = parseDelegatedSettings({
      'requestheader-client-ca-file': frontProxyCa.certificate + next.certificate,
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
    });
    expect((await call({ as: proxy, headers: asAdmin, agent })).user?.name).toBe('admin');
    expect((await call({ as: nextProxy, headers: asAdmin, agent: nextAgent })).user?.name).toBe('admin');
    settings = settingsFor(next);
    expect((await call({ as: proxy, headers: asAdmin, agent })).status).toBe(401);
    expect((await call({ as: nextProxy, headers: asAdmin, agent: nextAgent })).user?.name).toBe('admin');
    agent.destroy();
    nextAgent.destroy();
  });

  test('sees the certificate on a connection that resumes a session too', async () => {
    // An agent offers the session of the last connection; without tickets the server makes a full handshake.
    const agent = new Agent({ keepAlive: false, maxCachedSessions: 10 });
    for (let n = 0; n < 3; n += 1) {
      expect((await call({ as: proxy, headers: asAdmin, agent })).user?.name).toBe('admin');
    }
    agent.destroy();
  });
});
