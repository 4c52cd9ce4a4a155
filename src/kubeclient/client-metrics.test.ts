import { expect, it } from 'vitest';
import { createMetrics } from '../base/metrics.ts';
import { observeCalls } from './client-metrics.ts';

it('counts and times calls by cluster, method and code', async () => {
  const metrics = createMetrics();
  const admin = observeCalls(metrics, 'admin');
  const tenant = observeCalls(metrics, 'tenant');
  admin('PATCH', 200, 0.02);
  admin('PATCH', 200, 0.03);
  tenant('GET', 0, 30);
  const text = await metrics.text();
  expect(text).toContain('rest_client_requests_total{cluster="admin",method="PATCH",code="200"} 2');
  expect(text).toContain('rest_client_requests_total{cluster="tenant",method="GET",code="none"} 1');
  expect(text).toContain('rest_client_request_duration_seconds_sum{cluster="admin",method="PATCH"} 0.05');
});
