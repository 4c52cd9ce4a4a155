import type { UserInfo } from '../registry/definition.ts';

/** The twin of k8s.io/apiserver/pkg/authorization/authorizer.Attributes. */
export interface AuthorizationAttributes {
  readonly user: UserInfo;
  /** `get`, `list`, ...; for non-resource requests the lower-cased HTTP method. */
  readonly verb: string;
  /** False: only `path` and `verb` count. */
  readonly isResourceRequest: boolean;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** As sent by the client; undefined when absent. Only for list, watch and deletecollection. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface AuthorizationDecision {
  readonly allowed: boolean;
  /** Appended to the refusal's message; empty when there is none. */
  readonly reason: string;
}

export interface Authorizer {
  /** Throws when no decision could be made; the request is then refused with 500. */
  authorize(attributes: AuthorizationAttributes, signal: AbortSignal): Promise<AuthorizationDecision>;
}
