import { status, type ServiceError } from '@grpc/grpc-js';

/**
 * Answers of etcd that callers act upon: texts of go.etcd.io/etcd/api/v3/v3rpc/rpctypes/error.go, which are etcd's stable
 * error codes.
 */
export const ETCD = {
  userExists: 'etcdserver: user name already exists',
  userNotFound: 'etcdserver: user name not found',
  userEmpty: 'etcdserver: user name is empty',
  roleExists: 'etcdserver: role name already exists',
  roleNotFound: 'etcdserver: role name not found',
  permissionNotGranted: 'etcdserver: permission is not granted to the role',
  permissionDenied: 'etcdserver: permission denied',
  authOldRevision: 'etcdserver: revision of auth store is old',
  authNotEnabled: 'etcdserver: authentication is not enabled',
  authFailed: 'etcdserver: authentication failed, invalid user ID or password',
  invalidToken: 'etcdserver: invalid auth token',
  noSpace: 'etcdserver: mvcc: database space exceeded',
  compacted: 'etcdserver: mvcc: required revision has been compacted',
  futureRevision: 'etcdserver: mvcc: required revision is a future revision',
  requestTooLarge: 'etcdserver: request is too large',
  noLeader: 'etcdserver: no leader',
  tooManyRequests: 'etcdserver: too many requests',
} as const;

/** A failed call to one server, before it is known whether another server answers. */
export class EtcdCallError extends Error {
  readonly code: status;
  /** etcd's own text, or that of the transport. */
  readonly details: string;
  readonly endpoint: string;

  constructor(error: Pick<ServiceError, 'code' | 'details'>, endpoint: string) {
    super(error.details);
    this.name = 'EtcdCallError';
    this.code = error.code;
    this.details = error.details;
    this.endpoint = endpoint;
  }

  /** Whether another server may do better, if it does no harm to ask twice. */
  get tryNext(): boolean {
    return this.code === status.UNAVAILABLE || this.code === status.DEADLINE_EXCEEDED;
  }

  /** True when it is certain that no server has carried out the request. */
  get notSent(): boolean {
    if (this.details === ETCD.noLeader) return true;
    if (this.code === status.UNAVAILABLE)
      return /^(No connection established|Name resolution failed)/.test(this.details);
    // grpc-js names the peer once the request is on its way.
    return this.code === status.DEADLINE_EXCEEDED && !this.details.includes('remote_addr=');
  }
}

export function isEtcdAnswer(error: unknown, ...texts: readonly string[]): error is EtcdCallError {
  return error instanceof EtcdCallError && texts.includes(error.details);
}

/** What is wrong with the certificates, if that is what the transport complains about. */
export function handshakeProblem(details: string): string | undefined {
  const alert = /alert (unknown ca|bad certificate|certificate \w+|unsupported certificate|handshake failure)/.exec(
    details,
  );
  if (alert !== null) return `the server refuses the client certificate (${alert[1]})`;
  if (/unable to (verify|get)|self-signed certificate|unable to get issuer/.test(details)) {
    return "the server's certificate is not signed by the certificate authority that was given";
  }
  const name = /Hostname\/IP does not match certificate's altnames: ([^.]*)/.exec(details);
  if (name !== null) return `the server's certificate is for another name (${oneLine(name[1] ?? '')})`;
  if (/certificate has expired|certificate is not yet valid/.test(details)) {
    return "the server's certificate has expired or is not valid yet";
  }
  return undefined;
}

/** grpc-js wraps the reason: `No connection established. Last error: Error: connect ECONNREFUSED ... (timestamp)`. */
export function transportReason(details: string): string {
  const text = oneLine(details)
    .replace(/^No connection established\. Last error: /, '')
    .replace(/\. Resolution note:.*$/, '')
    .replace(/^(\w*Error: )+/, '')
    .replace(/\s*\(?\d{4}-\d\d-\d\dT[\d:.]+Z\)?\.?/, '');
  return text === '' ? 'connection lost' : text;
}

/** What a server or the transport said, short enough for a log or a status. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}
