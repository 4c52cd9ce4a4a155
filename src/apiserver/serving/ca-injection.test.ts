import { afterEach, expect, test } from 'vitest';
import { MemoryCluster } from '../../../test/env/memory-cluster.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { createLogger } from '../../base/log.ts';
import type { ApiService, WebhookConfiguration } from '../../kubeclient/kinds.ts';
import { API_SERVICES, VALIDATING_WEBHOOK_CONFIGURATIONS } from '../../kubeclient/resources.ts';
import { injectOnce, runCaInjection } from './ca-injection.ts';

const apiService: ApiService = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1.example.io' },
  spec: { group: 'example.io', service: { name: 'kamaji', namespace: 'ns' } },
};
const webhooks = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'guard' },
  webhooks: ['a', 'b'].map((name) => ({
    name,
    timeoutSeconds: 5,
    clientConfig: { service: { name: 'kamaji', namespace: 'ns', path: `/${name}` } },
  })),
} as unknown as WebhookConfiguration;
const encode = (text: string) => Buffer.from(text).toString('base64');

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

function setUp() {
  const cluster = new MemoryCluster();
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLogger({ clock, write: (line) => void lines.push(line) });
  let bundle = 'CA 1';
  const options = {
    adminClient: cluster,
    apiServices: ['v1.example.io'],
    validatingWebhooks: ['guard'],
    caBundle: () => bundle,
    clock,
    log,
  };
  return { cluster, clock, lines, options, setBundle: (next: string) => void (bundle = next) };
}

test('puts the bundle where kube-apiserver looks, and changes nothing else', async () => {
  const { cluster, options } = setUp();
  cluster.put(API_SERVICES, apiService);
  cluster.put(VALIDATING_WEBHOOK_CONFIGURATIONS, webhooks);
  await injectOnce(options, stop.signal);
  expect(cluster.peek(API_SERVICES, '', 'v1.example.io')?.spec).toEqual({
    ...apiService.spec,
    caBundle: encode('CA 1'),
  });
  const injected = cluster.peek(VALIDATING_WEBHOOK_CONFIGURATIONS, '', 'guard')?.webhooks;
  expect(injected).toEqual(
    webhooks.webhooks!.map((webhook) => ({
      ...webhook,
      clientConfig: { ...webhook.clientConfig, caBundle: encode('CA 1') },
    })),
  );
  cluster.takeCalls();
  await injectOnce(options, stop.signal);
  expect(cluster.takeCalls().filter((call) => !call.startsWith('GET'))).toEqual([]);
});

test('keeps it there: a new bundle, a bundle taken away, a registration made later, a cluster that does not answer', async () => {
  const { cluster, clock, lines, options, setBundle } = setUp();
  const bundleNow = () => cluster.peek(API_SERVICES, '', 'v1.example.io')?.spec?.caBundle;
  const running = runCaInjection(options, stop.signal);
  await clock.advance(20_000);
  cluster.put(API_SERVICES, apiService);
  await clock.advance(10_000);
  expect(bundleNow()).toBe(encode('CA 1'));
  setBundle('CA 1 CA 2');
  await clock.advance(10_000);
  expect(bundleNow()).toBe(encode('CA 1 CA 2'));
  cluster.put(API_SERVICES, apiService);
  cluster.intercept = () => {
    throw new Error('connection refused');
  };
  await clock.advance(30_000);
  expect(bundleNow()).toBeUndefined();
  expect(lines.some((line) => line.includes('could not be put'))).toBe(true);
  cluster.intercept = () => undefined;
  await clock.advance(10_000);
  expect(bundleNow()).toBe(encode('CA 1 CA 2'));
  stop.abort();
  await running;
});

test('one registration that cannot be written does not hold up the others', async () => {
  const { cluster, options, lines } = setUp();
  cluster.put(API_SERVICES, apiService);
  cluster.put(VALIDATING_WEBHOOK_CONFIGURATIONS, webhooks);
  cluster.intercept = (call) => {
    if (call.includes('apiservices')) throw new Error('forbidden');
  };
  await injectOnce(options, stop.signal).catch((error: Error) => lines.push(error.message));
  expect(cluster.peek(VALIDATING_WEBHOOK_CONFIGURATIONS, '', 'guard')?.webhooks?.[0]?.clientConfig.caBundle).toBe(
    encode('CA 1'),
  );
  expect(lines.join('')).toContain('forbidden');
});
