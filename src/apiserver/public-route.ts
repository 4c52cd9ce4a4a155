import type { Filter, Next, Request, Response } from './filters/filter.ts';
import { newBadRequest, newMethodNotAllowed } from '../apimachinery/status.ts';
import { readBody } from './body.ts';
import { contextOf } from './request-context.ts';
import { sendBody } from './response.ts';
import { negotiateOutput, plainForms } from './negotiation.ts';

/**
 * A path that anybody may POST JSON to, such as a webhook that kube-apiserver calls without credentials. What it answers
 * must be no secret and what it does no harm, whoever asks.
 */
export interface PublicRoute {
  readonly path: string;
  /** Undefined: the body is not what this route is for (400). @throws StatusError */
  answer(body: unknown): Promise<object | undefined>;
}

/** Answers requests for public routes and lets all others pass. */
export function newPublicRouteFilter(routes: readonly PublicRoute[]): Filter {
  return async (request: Request, response: Response, next: Next) => {
    if (!(await servePublicRoute(routes, request, response))) next();
  };
}

/** Serves a public route when the request is for one; false otherwise. @throws StatusError */
async function servePublicRoute(
  routes: readonly PublicRoute[],
  request: Request,
  response: Response,
): Promise<boolean> {
  const { info, signal } = contextOf(request);
  const route = routes.find(({ path }) => path === info.path);
  if (route === undefined) return false;
  if (request.method !== 'POST') throw newMethodNotAllowed();
  const body = await readBody(request, signal);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw newBadRequest('the body is not JSON');
  }
  const answer = typeof value === 'object' && value !== null ? await route.answer(value) : undefined;
  if (answer === undefined) throw newBadRequest(`the body is not what ${route.path} expects`);
  await sendBody(request, response, 200, negotiateOutput(undefined, plainForms), { value: answer });
  return true;
}
