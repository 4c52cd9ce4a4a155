import type { Filter, Next, Request, Response } from './filter.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import { contextOf } from '../request-context.ts';
import type { RequestContext } from '../request-context.ts';
import type { ServerState } from '../server-state.ts';

/** Requests slower than this are worth a line at the ordinary level. */
const slowMs = 1_000;

const labels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope'] as const;
const knownVerbs: ReadonlySet<string> = new Set([
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
]);

/** Counts, times and logs requests; never a body, a header or a query, which may hold credentials. */
export function newObserveFilter(options: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly state: ServerState;
  /** Only resources that are served become labels: clients could else make as many as they like. */
  readonly isServed: (group: string, version: string, resource: string, subresource: string) => boolean;
}): Filter {
  const { clock, log, metrics, state } = options;
  const total = metrics.counter('apiserver_request_total', 'Requests by verb, resource and answer.', [
    ...labels,
    'code',
  ] as const);
  const duration = metrics.histogram('apiserver_request_duration_seconds', 'Time to answer, without watches.', labels);
  const longRunning = metrics.gauge('apiserver_longrunning_requests', 'Open watches.');
  metrics.onCollect(() => longRunning.set(state.longRunningCount));

  const labelsOf = (context: RequestContext): Record<(typeof labels)[number], string> => {
    const { info } = context;
    const served = options.isServed(info.group, info.version, info.resource, info.subresource);
    return {
      verb: knownVerbs.has(info.verb) ? info.verb : 'other',
      group: served ? info.group : '',
      version: served ? info.version : '',
      resource: served ? info.resource : '',
      subresource: served ? info.subresource : '',
      scope: !served ? '' : info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster',
    };
  };

  return (request: Request, response: Response, next: Next) => {
    const context = contextOf(request);
    const started = clock.monotonic();
    response.once('close', () => {
      const elapsedMs = clock.monotonic() - started;
      const code = response.headersSent ? response.statusCode : 499;
      const values = labelsOf(context);
      total.inc({ ...values, code: String(code) });
      if (!context.isLongRunning) duration.observe(values, elapsedMs / 1000);
      const level = code >= 500 ? 'warn' : elapsedMs > slowMs && !context.isLongRunning ? 'info' : 'debug';
      if (!log.enabled(level)) return;
      log[level]('request', {
        verb: context.info.verb,
        path: context.info.path,
        code,
        elapsedMs: Math.round(elapsedMs),
        user: context.user.name,
        auditId: context.auditId,
      });
    });
    next();
  };
}
