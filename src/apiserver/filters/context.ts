import { randomUUID } from 'node:crypto';
import type { Filter, Next, Request, Response } from './filter.ts';
import type { Clock } from '../../base/clock.ts';
import type { UserInfo } from '../registry/definition.ts';
import { setContext } from '../request-context.ts';
import { parseRequestInfo } from '../request-info.ts';
import type { ServerState } from '../server-state.ts';
import { Warnings } from '../warnings.ts';

/** Nobody yet: what a request is before it has been authenticated. */
const nobody: UserInfo = { name: '', groups: [], extra: {} };

/** Gives the request its id, its meaning and a signal that aborts when the client goes. First of all filters. */
export function newContextFilter(clock: Clock, state: ServerState): Filter {
  return (request: Request, response: Response, next: Next) => {
    const sentAuditId = request.headers['audit-id'];
    const auditId = typeof sentAuditId === 'string' && /^[\w-]{1,64}$/.test(sentAuditId) ? sentAuditId : randomUUID();
    const { path, query } = splitUrl(request.url);
    const info = parseRequestInfo(request.method, path, query);
    const isLongRunning = info.verb === 'watch';
    const controller = new AbortController();
    const forget = isLongRunning ? state.addLongRunning(controller) : undefined;
    response.once('close', () => {
      forget?.();
      controller.abort(new DOMException('the client has gone', 'AbortError'));
    });
    const isProxied = sentAuditId !== undefined;
    if (!isProxied) response.setHeader('Audit-Id', auditId);
    setContext(request, {
      auditId,
      isProxied,
      receivedAtMs: clock.now(),
      info,
      query,
      warnings: new Warnings(),
      signal: controller.signal,
      abort: (reason) => controller.abort(reason),
      isLongRunning,
      user: nobody,
    });
    next();
  };
}

function splitUrl(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = url.indexOf('?');
  return mark < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}
