import { afterEach, expect, test } from 'vitest';
import { MemoryCluster } from '../../../test/env/memory-cluster.ts';
import { ChainLink, CLIENT_AUTH } from '../../../test/env/test-chain.ts';
import { FakeClock, settle } from '../../base/fake-clock.ts';
import { createLogger } from '../../base/log.ts';
import type { ConfigMap } from '../../kubeclient/kinds.ts';
import { CONFIG_MAPS } from '../../kubeclient/resources.ts';
import { createDelegatedConfig, parseDelegatedSettings } from './delegated-config.ts';

const frontProxyCa = await ChainLink.root({ name: 'CN=front-proxy-ca' });
const clientCa = await ChainLink.root({ name: 'CN=client-ca' });

/** As kube-apiserver writes it. */
const published = {
  'client-ca-file': clientCa.certificate,
  'requestheader-client-ca-file': frontProxyCa.certificate,
  'requestheader-allowed-names': '["front-proxy-client"]',
  'requestheader-username-headers': '["X-Remote-User"]',
  'requestheader-uid-headers': '["X-Remote-Uid"]',
  'requestheader-group-headers': '["X-Remote-Group"]',
  'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
};

const configMap = (data: Readonly<Record<string, string>>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
  data,
});

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

function start(cluster = new MemoryCluster()) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLogger({ clock, write: (line) => void lines.push(line) });
  const config = createDelegatedConfig({ adminClient: cluster, clock, log });
  const running = config.run(stop.signal);
  return { cluster, clock, lines, config, running };
}

test('reads what kube-apiserver publishes', () => {
  expect(parseDelegatedSettings(published)).toMatchObject({
    problems: [],
    requestHeader: {
      allowedNames: ['front-proxy-client'],
      usernameHeaders: ['x-remote-user'],
      uidHeaders: ['x-remote-uid'],
      groupHeaders: ['x-remote-group'],
      extraHeaderPrefixes: ['x-remote-extra-'],
    },
  });
});

test('a front proxy that cannot be told from users is not trusted', () => {
  const shared = { ...published, 'requestheader-client-ca-file': clientCa.certificate };
  expect(parseDelegatedSettings(shared).requestHeader).toBeDefined();
  for (const names of ['[]', 'null', '']) {
    const settings = parseDelegatedSettings({ ...shared, 'requestheader-allowed-names': names });
    expect(settings.requestHeader).toBeUndefined();
    expect(settings.problems[0]).toContain('could pose as the proxy');
    expect(settings.clientTrust).toBeDefined();
  }
  // One shared authority among several is enough.
  const bundle = frontProxyCa.certificate + clientCa.certificate;
  const mixed = { ...published, 'requestheader-client-ca-file': bundle, 'requestheader-allowed-names': '[]' };
  expect(parseDelegatedSettings(mixed).requestHeader).toBeUndefined();
});

test('a cluster without a front proxy is no error, and not ready', async () => {
  expect(parseDelegatedSettings({ 'client-ca-file': clientCa.certificate })).toMatchObject({
    requestHeader: undefined,
  });
  expect(parseDelegatedSettings({})).toMatchObject({ requestHeader: undefined, clientTrust: undefined });
  const { cluster, config } = start();
  await expect(config.readyCheck.check()).rejects.toThrow('has not been read yet');
  cluster.put(CONFIG_MAPS, configMap({}));
  await settle();
  await expect(config.readyCheck.check()).rejects.toThrow('--requestheader-');
});

test.each([
  ['a certificate that is none', { 'client-ca-file': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }],
  ['a bundle without certificates', { 'requestheader-client-ca-file': 'hello' }],
  ['a list that is none', { 'requestheader-allowed-names': '"front-proxy-client"' }],
  ['no JSON', { 'requestheader-group-headers': '[' }],
])('%s leaves the last good configuration', async (_what, broken) => {
  const { cluster, config, lines } = start();
  cluster.put(CONFIG_MAPS, configMap(published));
  await settle();
  const good = config.current();
  expect(good.requestHeader).toBeDefined();
  await config.readyCheck.check();
  cluster.put(CONFIG_MAPS, configMap({ ...published, ...broken }));
  await settle();
  expect(config.current()).toBe(good);
  expect(lines.join('')).toContain('the last good one stays');
});

test('is followed live: missing, made, changed, deleted', async () => {
  const { cluster, config, lines, running } = start();
  await settle();
  expect(lines.join('')).toContain('missing');
  expect(config.current().requestHeader).toBeUndefined();
  cluster.put(CONFIG_MAPS, configMap(published));
  await settle();
  const first = config.current();
  expect(first.requestHeader?.trust.authorities[0]?.subject).toBe('CN=front-proxy-ca');
  // The same content again is no change.
  cluster.put(CONFIG_MAPS, {
    ...configMap(published),
    metadata: { ...configMap(published).metadata, labels: { a: 'b' } },
  });
  await settle();
  expect(config.current()).toBe(first);
  const next = await ChainLink.root({ name: 'CN=next', usages: [CLIENT_AUTH] });
  cluster.put(CONFIG_MAPS, configMap({ ...published, 'requestheader-client-ca-file': next.certificate }));
  await settle();
  expect(config.current().requestHeader?.trust.authorities.map(({ subject }) => subject)).toEqual(['CN=next']);
  cluster.remove(CONFIG_MAPS, 'kube-system', 'extension-apiserver-authentication');
  await settle();
  expect(config.current().requestHeader?.trust.authorities.map(({ subject }) => subject)).toEqual(['CN=next']);
  stop.abort();
  await running;
});

test('goes on by itself when kube-apiserver does not answer at first', async () => {
  const cluster = new MemoryCluster();
  let refusals = 3;
  cluster.intercept = () => {
    if (refusals-- > 0) throw new Error('connection refused');
  };
  cluster.put(CONFIG_MAPS, configMap(published));
  const { config, clock } = start(cluster);
  await clock.advance(60_000);
  await config.readyCheck.check();
});
