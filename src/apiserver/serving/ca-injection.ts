import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { KubeClient } from '../../kubeclient/client.ts';
import type { WebhookConfiguration } from '../../kubeclient/kinds.ts';
import { API_SERVICES, VALIDATING_WEBHOOK_CONFIGURATIONS } from '../../kubeclient/resources.ts';

export interface CaInjectionOptions {
  readonly adminClient: KubeClient;
  readonly apiServices: readonly string[];
  readonly validatingWebhooks: readonly string[];
  /** PEM. */
  caBundle(): string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default 10,000: an apply that takes the bundle away costs no more than this. */
  readonly checkMs?: number;
}

/**
 * Keeps our CA bundle in the registrations that lead to us, until `signal` aborts. A registration that does not exist yet is
 * looked for again; one that cannot be written is logged, and tried again.
 */
export async function runCaInjection(options: CaInjectionOptions, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  while (!signal.aborted) {
    try {
      await injectOnce(options, signal);
    } catch (error) {
      if (!signal.aborted) log.warn('the CA bundle could not be put into a registration', { error });
    }
    await clock.sleep(options.checkMs ?? 10_000, signal).catch(() => undefined);
  }
}

/** One look at every registration; none waits for another. @throws AggregateError of what went wrong */
export async function injectOnce(options: CaInjectionOptions, signal: AbortSignal): Promise<void> {
  const caBundle = Buffer.from(options.caBundle(), 'utf8').toString('base64');
  const results = await Promise.allSettled([
    ...options.apiServices.map((name) => injectApiService(options, name, caBundle, signal)),
    ...options.validatingWebhooks.map((name) => injectWebhooks(options, name, caBundle, signal)),
  ]);
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
}

async function injectApiService(
  { adminClient, log }: CaInjectionOptions,
  name: string,
  caBundle: string,
  signal: AbortSignal,
): Promise<void> {
  const found = await adminClient.find(API_SERVICES, '', name, { signal });
  if (found === undefined || found.spec?.caBundle === caBundle) return;
  await adminClient.mergePatch(API_SERVICES, '', name, { spec: { caBundle } }, { signal });
  log.info('CA bundle injected', { apiService: name });
}

async function injectWebhooks(
  { adminClient, log }: CaInjectionOptions,
  name: string,
  caBundle: string,
  signal: AbortSignal,
): Promise<void> {
  const found = await adminClient.find(VALIDATING_WEBHOOK_CONFIGURATIONS, '', name, { signal });
  if (found === undefined || hasBundle(found, caBundle)) return;
  // A merge patch would have to bring the whole list; the resourceVersion inside makes sure that it is the one we read.
  const webhooks = (found.webhooks ?? []).map((webhook) => ({
    ...webhook,
    clientConfig: { ...webhook.clientConfig, caBundle },
  }));
  await adminClient.update(VALIDATING_WEBHOOK_CONFIGURATIONS, { ...found, webhooks }, { signal });
  log.info('CA bundle injected', { validatingWebhookConfiguration: name });
}

function hasBundle(configuration: WebhookConfiguration, caBundle: string): boolean {
  return (configuration.webhooks ?? []).every((webhook) => webhook.clientConfig.caBundle === caBundle);
}
