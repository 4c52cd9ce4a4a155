import type { Filter, Next, Request, Response } from './filter.ts';
import type { Metrics } from '../../base/metrics.ts';
import { newTooManyRequests } from '../../apimachinery/status.ts';
import { contextOf } from '../request-context.ts';

export interface InFlightLimits {
  readonly reads: number;
  readonly writes: number;
}

/** k8s.io/apiserver/pkg/server/config.go, MaxRequestsInFlight and MaxMutatingRequestsInFlight. */
export const defaultInFlightLimits: InFlightLimits = { reads: 400, writes: 200 };

const readVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head', 'options']);

/** Refuses what is more than the server can take at a time. Watches and system:masters are exempt. filters/maxinflight.go. */
export function newInFlightFilter(limits: InFlightLimits, metrics: Metrics): Filter {
  const running = { readOnly: 0, mutating: 0 };
  const gauge = metrics.gauge('apiserver_current_inflight_requests', 'Requests being served.', ['request_kind']);
  metrics.onCollect(() => {
    gauge.set({ request_kind: 'readOnly' }, running.readOnly);
    gauge.set({ request_kind: 'mutating' }, running.mutating);
  });
  return (request: Request, response: Response, next: Next) => {
    const context = contextOf(request);
    if (context.isLongRunning || context.user.groups.includes('system:masters')) {
      next();
      return;
    }
    const kind = readVerbs.has(context.info.verb) ? 'readOnly' : 'mutating';
    if (running[kind] >= (kind === 'readOnly' ? limits.reads : limits.writes)) {
      throw newTooManyRequests('Too many requests, please try again later.', 1);
    }
    running[kind]++;
    response.once('close', () => {
      running[kind]--;
    });
    next();
  };
}
