import { status } from '@grpc/grpc-js';
import { ETCD, EtcdCallError, handshakeProblem, oneLine, transportReason } from '../../../etcdclient/call-error.ts';
import { CompactedError, StorageFailedError, ValueTooLargeError } from '../storage.ts';

/** What etcd or the way to it answered, in the words of the contract. Everything else passes unchanged. */
export function toStorageError(error: unknown): unknown {
  if (!(error instanceof EtcdCallError)) return error;
  switch (error.details) {
    case ETCD.compacted:
      return new CompactedError('the revision is no longer in the history', { cause: error });
    case ETCD.requestTooLarge:
      return new ValueTooLargeError('etcd takes no request of that size', { cause: error });
    case ETCD.noSpace:
      return failed('full', 'etcd has reached its space quota: compact, defragment and disarm its alarm', error);
    case ETCD.permissionDenied:
      return failed('unavailable', 'our user has no right on these keys', error);
    case ETCD.authFailed:
    case ETCD.userNotFound:
      return failed('unavailable', 'etcd does not know our user or its password', error);
    case ETCD.userEmpty:
      return failed('unavailable', 'etcd wants to know who we are: neither certificate nor password said so', error);
    default:
  }
  // The transport's own limit comes before etcd's.
  if (error.code === status.RESOURCE_EXHAUSTED && error.details.includes('message larger than')) {
    return new ValueTooLargeError('etcd takes no request of that size', { cause: error });
  }
  if (error.code === status.DEADLINE_EXCEEDED) return failed('unavailable', 'no answer in time', error);
  if (error.code === status.UNAVAILABLE) {
    return failed('unavailable', handshakeProblem(error.details) ?? transportReason(error.details), error);
  }
  return failed('unavailable', `etcd answered: ${oneLine(error.details)}`, error);
}

function failed(failure: 'full' | 'unavailable', message: string, cause: EtcdCallError): StorageFailedError {
  return new StorageFailedError(failure, `${cause.endpoint}: ${message}`, { cause });
}
