import type { Filter, Next, Request, Response } from './filter.ts';
import type { Clock } from '../../base/clock.ts';
import { newBadRequest, newTimeout } from '../../apimachinery/status.ts';
import { parseGoDuration } from '../go-duration.ts';
import { contextOf } from '../request-context.ts';
import type { RequestContext } from '../request-context.ts';
import { sendStatus } from '../response.ts';

/** k8s.io/apiserver/pkg/server/config.go, RequestTimeout. */
const requestTimeoutMs = 60_000;
/** k8s.io/apiserver/pkg/endpoints/handlers/rest.go, requestTimeoutUpperBound. */
const writeTimeoutMs = 34_000;
const writeVerbs: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);

/** Answers 504 to a request that takes too long and gives it up. Watches bring their own timeout. */
export function newDeadlineFilter(clock: Clock): Filter {
  return (request: Request, response: Response, next: Next) => {
    const context = contextOf(request);
    if (!context.isLongRunning) {
      const timer = clock.setTimer(timeoutOf(context), () => {
        const error = newTimeout('request did not complete within the allotted timeout', 0);
        void sendStatus(request, response, error.status).finally(() => context.abort(error));
      });
      response.once('close', () => timer.cancel());
    }
    next();
  };
}

/** @throws StatusError (400) */
function timeoutOf(context: RequestContext): number {
  const limit = writeVerbs.has(context.info.verb) ? writeTimeoutMs : requestTimeoutMs;
  const asked = context.query.get('timeout');
  if (asked === null || asked === '') return limit;
  const ms = parseGoDuration(asked);
  if (ms === undefined)
    throw newBadRequest(
      `invalid timeout specified in the request URL - parse error: time: invalid duration ${JSON.stringify(asked)}`,
    );
  return ms === 0 ? limit : Math.min(Math.max(ms, 0), limit);
}
