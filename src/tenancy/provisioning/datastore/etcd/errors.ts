import { status } from '@grpc/grpc-js';
import {
  ETCD,
  handshakeProblem,
  oneLine,
  transportReason,
  type EtcdCallError,
} from '../../../../etcdclient/call-error.ts';
import { DataStoreError, type DataStoreErrorCode } from '../data-store-error.ts';

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
