import { expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

it('shares a metric by name and exposes it', async () => {
  const metrics = createMetrics();
  metrics.counter('things_total', 'Things.', ['kind']).inc({ kind: 'a' });
  metrics.counter('things_total', 'Things.', ['kind']).inc({ kind: 'a' });
  let depth = 4;
  const gauge = metrics.gauge('depth', 'Depth.');
  metrics.onCollect(() => gauge.set(depth));
  metrics.histogram('took_seconds', 'Time.', [], [1, 2]).observe(1.5);
  depth = 5;
  const text = await metrics.text();
  expect(text).toContain('things_total{kind="a"} 2');
  expect(text).toContain('depth 5');
  expect(text).toContain('took_seconds_bucket{le="2"} 1');
  expect(metrics.contentType).toContain('text/plain');
});

it('keeps registries apart and refuses one name with other labels', async () => {
  const one = createMetrics();
  one.counter('x_total', 'X.', ['a']);
  expect(() => one.counter('x_total', 'X.', ['b'])).toThrow('x_total');
  expect(await createMetrics().text()).not.toContain('x_total');
});

it('adds the process when asked', async () => {
  expect(await createMetrics({ process: true }).text()).toContain('process_resident_memory_bytes');
});
