import type { Filter, Next, Request, Response } from './filter.ts';
import { auditOf } from '../audit/record.ts';
import type { AuthorizationDecision, Authorizer } from '../authorization/authorizer.ts';
import { ensureAuthorized } from '../handlers/authorize.ts';
import { contextOf } from '../request-context.ts';
import { isDiscoveryPath, isOpenPath } from './paths.ts';

const readMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export function newAuthorizationFilter(authorizer: Authorizer): Filter {
  return async (request: Request, _response: Response, next: Next) => {
    const context = contextOf(request);
    const { path } = context.info;
    const isOpen = readMethods.has(request.method) && (isOpenPath(path) || isDiscoveryPath(path));
    const record = auditOf(context);
    const told = ({ allowed, reason }: AuthorizationDecision): void => {
      if (record === undefined) return;
      record.decision = allowed ? 'allow' : 'forbid';
      record.reason = reason;
    };
    if (isOpen) told({ allowed: true, reason: '' });
    else await ensureAuthorized(authorizer, context, {}, told);
    next();
  };
}
