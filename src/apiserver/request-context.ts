import type { IncomingMessage } from 'node:http';
import type { UserInfo } from './registry/definition.ts';
import type { RequestInfo } from './request-info.ts';
import type { Warnings } from './warnings.ts';

/** What the filters have found out about a request, for the handlers behind them. */
export interface RequestContext {
  readonly auditId: string;
  /** True when kube-apiserver forwarded the request; it then adds its own audit and cache headers to the answer. */
  readonly isProxied: boolean;
  /** Milliseconds since 1970. */
  readonly receivedAtMs: number;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly warnings: Warnings;
  /** Aborts when the client is gone, the deadline has passed or, for watches, the server stops. */
  readonly signal: AbortSignal;
  /** Gives the request up: whatever is still at work for it stops. */
  abort(reason: Error): void;
  readonly isLongRunning: boolean;
  user: UserInfo;
}

const contexts = new WeakMap<IncomingMessage, RequestContext>();

export function setContext(request: IncomingMessage, context: RequestContext): void {
  contexts.set(request, context);
}

/** The context that the first filter made. */
export function contextOf(request: IncomingMessage): RequestContext {
  const context = contexts.get(request);
  if (context === undefined) throw new Error('the request went past the filter that makes its context');
  return context;
}

/** Undefined for a request that failed before it had a context. */
export function findContext(request: IncomingMessage): RequestContext | undefined {
  return contexts.get(request);
}
