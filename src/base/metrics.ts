import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Makes and exposes metrics. Asking twice for one name answers the same metric, so that parts need not know of each other. */
export interface Metrics {
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** `buckets` in the unit of the metric's name; default spans 1 ms to 60 s. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    buckets?: readonly number[],
  ): Histogram<L>;
  /** Calls `collect` before every exposition, to set gauges from state kept elsewhere. */
  onCollect(collect: () => void): void;
  /** Prometheus text exposition. */
  text(): Promise<string>;
  readonly contentType: string;
}

export type { Counter, Gauge, Histogram } from 'prom-client';

const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** One registry. With `process: true` also CPU, memory, event loop and garbage collection of this process. */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  const collectors: (() => void)[] = [];
  if (options.process) collectDefaultMetrics({ register: registry });

  function once<M>(name: string, labels: readonly string[], make: () => M): M {
    const known = registry.getSingleMetric(name) as (M & { readonly labelNames?: readonly string[] }) | undefined;
    if (!known) return make();
    if (known.labelNames && known.labelNames.join() !== labels.join()) {
      throw new Error(`metric ${name} exists with the labels [${known.labelNames.join()}], not [${labels.join()}]`);
    }
    return known;
  }

  return {
    counter: (name, help, labels = []) =>
      once(name, labels, () => new Counter({ name, help, labelNames: [...labels], registers: [registry] })),
    gauge: (name, help, labels = []) =>
      once(name, labels, () => new Gauge({ name, help, labelNames: [...labels], registers: [registry] })),
    histogram: (name, help, labels = [], buckets = DURATION_BUCKETS) =>
      once(
        name,
        labels,
        () => new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [registry] }),
      ),
    onCollect: (collect) => void collectors.push(collect),
    text: async () => {
      for (const collect of collectors) collect();
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}
