import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { RequestContext } from '../request-context.ts';
import type { AuditRecord } from './record.ts';

/** One event of audit.k8s.io/v1 at level Metadata: who did what to which object, and how it ended. Never a body. */
export interface AuditEvent {
  readonly kind: 'Event';
  readonly apiVersion: 'audit.k8s.io/v1';
  readonly level: 'Metadata';
  readonly auditID: string;
  readonly stage: AuditStage;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly sourceIPs: readonly string[];
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup: string;
    readonly apiVersion: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: {
    readonly metadata: Readonly<Record<string, never>>;
    readonly status?: 'Failure';
    readonly reason?: string;
    readonly code: number;
  };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type AuditStage = 'ResponseStarted' | 'ResponseComplete';

export interface AuditFacts {
  readonly request: IncomingMessage;
  /** As sent by the client. */
  readonly uri: string;
  readonly context: RequestContext;
  readonly record: AuditRecord;
  readonly stage: AuditStage;
  /** Undefined when no answer was sent. */
  readonly code: number | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** k8s.io/apiserver/pkg/audit/request.go (NewEventFromRequest, LogRequestMetadata), pkg/endpoints/filters/audit.go. */
export function newAuditEvent(facts: AuditFacts): AuditEvent {
  const { request, context, record, code } = facts;
  const { info, user } = context;
  const userAgent = request.headers['user-agent'];
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: context.auditId,
    stage: facts.stage,
    requestURI: facts.uri,
    verb: info.verb,
    user: {
      ...(user.name === '' ? {} : { username: user.name }),
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.groups.length === 0 ? {} : { groups: user.groups }),
      ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
    },
    sourceIPs: sourceIps(request),
    ...(userAgent === undefined ? {} : { userAgent: cut(userAgent) }),
    ...(info.isResourceRequest ? { objectRef: objectRef(context, record) } : {}),
    ...(code === undefined ? {} : { responseStatus: responseStatus(code, record) }),
    requestReceivedTimestamp: microTime(context.receivedAtMs),
    stageTimestamp: microTime(facts.nowMs),
    ...(record.decision === undefined ? {} : { annotations: annotations(record) }),
  };
}

function objectRef(context: RequestContext, record: AuditRecord): NonNullable<AuditEvent['objectRef']> {
  const { resource, namespace, name, group, version, subresource } = context.info;
  const named = name === '' ? (record.objectName ?? '') : name;
  return {
    resource,
    ...(namespace === '' ? {} : { namespace }),
    ...(named === '' ? {} : { name: named }),
    apiGroup: group,
    apiVersion: version,
    ...(subresource === '' ? {} : { subresource }),
  };
}

function responseStatus(code: number, record: AuditRecord): NonNullable<AuditEvent['responseStatus']> {
  if (code < 400) return { metadata: {}, code };
  const { failure } = record;
  return { metadata: {}, status: 'Failure', ...(failure === undefined ? {} : { reason: failure }), code };
}

function annotations(record: AuditRecord): Readonly<Record<string, string>> {
  return {
    'authorization.k8s.io/decision': record.decision ?? '',
    'authorization.k8s.io/reason': record.reason ?? '',
  };
}

/** The way of the request as far as it is told, the connection itself last. apimachinery/pkg/util/net/http.go, SourceIPs. */
export function sourceIps(request: IncomingMessage): readonly string[] {
  const forwarded = headerText(request.headers['x-forwarded-for']).split(',').map(cleanIp).filter(isAddress);
  const real = cleanIp(headerText(request.headers['x-real-ip']));
  const told = isAddress(real) && !forwarded.includes(real) ? [...forwarded, real] : forwarded;
  const remote = cleanIp(request.socket.remoteAddress ?? '');
  return isAddress(remote) && told.at(-1) !== remote ? [...told, remote] : told;
}

function headerText(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(',') ?? '');
}

function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}

/** IPv4 in the dress of IPv6 is IPv4. */
function cleanIp(text: string): string {
  return text.trim().replace(/^::ffff:(?=\d+\.)/i, '');
}

/** k8s.io/apiserver/pkg/audit/request.go, maxUserAgentLength. */
const maxUserAgent = 1024;

function cut(userAgent: string): string {
  return userAgent.length > maxUserAgent ? `${userAgent.slice(0, maxUserAgent)}...TRUNCATED` : userAgent;
}

/** RFC 3339 with microseconds (metav1.MicroTime). */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
