import { status, type ServiceError } from '@grpc/grpc-js';
import { DataStoreError, type DataStoreErrorCode } from '../data-store-error.ts';

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
  noSpace: 'etcdserver: mvcc: database space exceeded',
} as const;

/** A failed call to one server, before it is known whether another server answers. */
export class EtcdCallError extends Error {
  readonly code: status;
  /** etcd's own text, or that of the transport. */
  readonly details: string;
  readonly endpoint: string;

  constructor(error: ServiceError, endpoint: string) {
    super(error.details);
    this.name = 'EtcdCallError';
    this.code = error.code;
    this.details = error.details;
    this.endpoint = endpoint;
  }

  /** Whether another server may do better. Everything asked of etcd here may be asked twice. */
  get tryNext(): boolean {
    return this.code === status.UNAVAILABLE || this.code === status.DEADLINE_EXCEEDED;
  }
}

export function isEtcdAnswer(error: unknown, ...texts: readonly string[]): boolean {
  return error instanceof EtcdCallError && texts.includes(error.details);
}

/** The words for whoever reads the condition of a DataStore or a tenant. */
export function toDataStoreError(error: EtcdCallError): DataStoreError {
  const code = codeOf(error);
  return new DataStoreError(code, `${error.endpoint}: ${describe(code, error)}`);
}

function codeOf(error: EtcdCallError): DataStoreErrorCode {
  switch (error.details) {
    case ETCD.userEmpty:
    case ETCD.userNotFound:
      return 'AuthenticationFailed';
    case ETCD.permissionDenied:
      return 'PermissionDenied';
    case ETCD.authNotEnabled:
      return 'AuthenticationDisabled';
    case ETCD.noSpace:
      return 'OutOfSpace';
    default:
  }
  switch (error.code) {
    case status.UNAVAILABLE:
      return handshakeProblem(error.details) === undefined ? 'Unreachable' : 'HandshakeFailed';
    case status.DEADLINE_EXCEEDED:
      return 'TimedOut';
    case status.UNAUTHENTICATED:
      return 'AuthenticationFailed';
    case status.PERMISSION_DENIED:
      return 'PermissionDenied';
    default:
      return 'Unexpected';
  }
}

function describe(code: DataStoreErrorCode, error: EtcdCallError): string {
  switch (code) {
    case 'AuthenticationFailed':
      return error.details === ETCD.userEmpty
        ? 'etcd took no user from the client certificate; it must run with --client-cert-auth'
        : `etcd does not know the user that the client certificate names (${oneLine(error.details)})`;
    case 'PermissionDenied':
      return 'the user that the client certificate names lacks the role "root" in etcd';
    case 'AuthenticationDisabled':
      return 'authentication is not enabled in etcd';
    case 'OutOfSpace':
      return 'etcd has reached its space quota';
    case 'HandshakeFailed':
      return handshakeProblem(error.details) ?? oneLine(error.details);
    case 'Unreachable':
      return `no answer (${transportReason(error.details)})`;
    case 'TimedOut':
      return 'no answer in time';
    default:
      return `etcd answered: ${oneLine(error.details)}`;
  }
}

/** What is wrong with the certificates, if that is what the transport complains about. */
function handshakeProblem(details: string): string | undefined {
  const alert = /alert (unknown ca|bad certificate|certificate \w+|unsupported certificate|handshake failure)/.exec(
    details,
  );
  if (alert !== null) return `the server refuses the client certificate (${alert[1]})`;
  if (/unable to (verify|get)|self-signed certificate|unable to get issuer/.test(details)) {
    return "the server's certificate is not signed by the certificate authority of the DataStore";
  }
  const name = /Hostname\/IP does not match certificate's altnames: ([^.]*)/.exec(details);
  if (name !== null) return `the server's certificate is for another name (${oneLine(name[1] ?? '')})`;
  if (/certificate has expired|certificate is not yet valid/.test(details)) {
    return "the server's certificate has expired or is not valid yet";
  }
  return undefined;
}

/** grpc-js wraps the reason: `No connection established. Last error: Error: connect ECONNREFUSED ... (timestamp)`. */
function transportReason(details: string): string {
  const text = oneLine(details)
    .replace(/^No connection established\. Last error: /, '')
    .replace(/\. Resolution note:.*$/, '')
    .replace(/^(\w*Error: )+/, '')
    .replace(/\s*\(?\d{4}-\d\d-\d\dT[\d:.]+Z\)?\.?/, '');
  return text === '' ? 'connection lost' : text;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}
