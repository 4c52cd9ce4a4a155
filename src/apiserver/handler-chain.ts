import type { RequestListener } from 'node:http';
import { chain, type Request, type Response } from './filters/filter.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { AuditSink } from './audit/audit-log.ts';
import { newAuditFilter } from './audit/filter.ts';
import type { Authenticator } from './authentication/authenticator.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import { newAuthenticationFilter } from './filters/authenticate.ts';
import { newAuthorizationFilter } from './filters/authorize.ts';
import { newContextFilter } from './filters/context.ts';
import { newDeadlineFilter } from './filters/deadline.ts';
import { newErrorFilter } from './filters/errors.ts';
import type { InFlightLimits } from './filters/in-flight.ts';
import { newInFlightFilter } from './filters/in-flight.ts';
import { newObserveFilter } from './filters/observe.ts';
import { newPublicRouteFilter, type PublicRoute } from './public-route.ts';
import type { ServerState } from './server-state.ts';

export interface ChainOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly state: ServerState;
  readonly authenticators: readonly Authenticator[];
  readonly authorizer: Authorizer;
  readonly inFlight: InFlightLimits;
  readonly publicRoutes: readonly PublicRoute[];
  readonly audit: AuditSink | undefined;
  readonly isServed: (group: string, version: string, resource: string, subresource: string) => boolean;
  /** Answers what the filters have let through; what it throws becomes the answer. */
  serve(request: Request, response: Response): Promise<void>;
}

/**
 * The way of every request, in order. The twin of k8s.io/apiserver/pkg/server/config.go, DefaultBuildHandlerChain: bodies are
 * read (and limited) by the handlers, after everything here has agreed.
 */
export function newHandlerChain(options: ChainOptions): RequestListener {
  const { clock, log, metrics, state, audit } = options;
  return chain(
    [
      newContextFilter(clock, state),
      ...(audit === undefined ? [] : [newAuditFilter({ sink: audit, clock, metrics })]),
      newObserveFilter({ clock, log, metrics, state, isServed: options.isServed }),
      newDeadlineFilter(clock),
      newPublicRouteFilter(options.publicRoutes),
      newAuthenticationFilter(options.authenticators),
      newInFlightFilter(options.inFlight, metrics),
      newAuthorizationFilter(options.authorizer),
      (request, response) => options.serve(request, response),
    ],
    newErrorFilter(log),
  );
}
