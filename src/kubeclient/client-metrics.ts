import type { Metrics } from '../base/metrics.ts';
import type { KubeClientOptions } from './rest-client.ts';

/** Counts and times the calls of a client. `cluster` is "admin" or "tenant", never a tenant's name: that would be a series each. */
export function observeCalls(
  metrics: Metrics,
  cluster: 'admin' | 'tenant' | 'kamaji',
): NonNullable<KubeClientOptions['observe']> {
  const requests = metrics.counter('rest_client_requests_total', 'Calls to Kubernetes API servers.', [
    'cluster',
    'method',
    'code',
  ]);
  const seconds = metrics.histogram(
    'rest_client_request_duration_seconds',
    'Time of calls to Kubernetes API servers.',
    ['cluster', 'method'],
  );
  return (method, code, tookSeconds) => {
    requests.inc({ cluster, method, code: code === 0 ? 'none' : String(code) });
    seconds.observe({ cluster, method }, tookSeconds);
  };
}
