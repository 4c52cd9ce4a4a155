import type { RequestContext } from '../request-context.ts';

/** What the parts of the server find out about a request on its way, for its audit events. Costs nothing when nobody audits. */
export interface AuditRecord {
  decision?: 'allow' | 'forbid';
  /** Why the authorizer decided so. */
  reason?: string;
  /** Name of an object that the URL does not tell. */
  objectName?: string;
  /** Reason of a failure, such as `NotFound`. Messages stay out: they may quote what the client sent. */
  failure?: string;
  /** Called when a watch begins to answer. */
  readonly started: () => void;
}

const records = new WeakMap<RequestContext, AuditRecord>();

export function beginAudit(context: RequestContext, record: AuditRecord): void {
  records.set(context, record);
}

/** Undefined when the request is not audited. */
export function auditOf(context: RequestContext | undefined): AuditRecord | undefined {
  return context === undefined ? undefined : records.get(context);
}
