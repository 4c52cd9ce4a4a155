import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Authorizer } from '../authorization/authorizer.ts';
import { ensureAuthorized } from '../handlers/authorize.ts';
import { contextOf } from '../request-context.ts';
import { isDiscoveryPath, isOpenPath } from './paths.ts';

const readMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export function newAuthorizationFilter(authorizer: Authorizer): RequestHandler {
  return async (request: Request, _response: Response, next: NextFunction) => {
    const context = contextOf(request);
    const { path } = context.info;
    const isOpen = readMethods.has(request.method) && (isOpenPath(path) || isDiscoveryPath(path));
    if (!isOpen) await ensureAuthorized(authorizer, context);
    next();
  };
}
