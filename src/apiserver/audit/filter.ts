import type { Filter, Next, Request, Response } from '../filters/filter.ts';
import type { Clock } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import { isOpenPath } from '../filters/paths.ts';
import { contextOf } from '../request-context.ts';
import type { AuditSink } from './audit-log.ts';
import type { AuditStage } from './event.ts';
import { newAuditEvent } from './event.ts';
import { beginAudit } from './record.ts';
import type { AuditRecord } from './record.ts';

/**
 * An event for every request once it has been answered, and one for a watch when it begins; also for those whom nobody knows.
 * Probes of the server's health are left out. k8s.io/apiserver/pkg/endpoints/filters/audit.go.
 */
export function newAuditFilter(options: {
  readonly sink: AuditSink;
  readonly clock: Clock;
  readonly metrics: Metrics;
}): Filter {
  const { sink, clock, metrics } = options;
  const events = metrics.counter('apiserver_audit_event_total', 'Audit events made.');
  return (request: Request, response: Response, next: Next) => {
    const context = contextOf(request);
    if (isOpenPath(context.info.path)) {
      next();
      return;
    }
    const { url: uri } = request;
    const write = (stage: AuditStage, code: number | undefined): void => {
      events.inc();
      sink.write(JSON.stringify(newAuditEvent({ request, uri, context, record, stage, code, nowMs: clock.now() })));
    };
    const record: AuditRecord = { started: () => write('ResponseStarted', response.statusCode) };
    beginAudit(context, record);
    response.once('close', () => write('ResponseComplete', response.headersSent ? response.statusCode : undefined));
    next();
  };
}
