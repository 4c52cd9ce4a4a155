import { newExpired, newResourceVersionTooLarge, StatusError } from '../../apimachinery/status.ts';
import { CompactedError, FutureRevisionError } from '../storage/storage.ts';

/** The storage's own errors in the words of the wire, for reads. Anything unknown passes unchanged. */
export function toReadError(error: unknown, requestedRevision: number, continueToken?: string): unknown {
  if (error instanceof StatusError) return error;
  if (error instanceof CompactedError) {
    return continueToken === undefined
      ? newExpired('The resourceVersion for the provided list is too old.')
      : newExpired(expiredContinueMessage, continueToken);
  }
  if (error instanceof FutureRevisionError) return newResourceVersionTooLarge(requestedRevision, error.current);
  return error;
}

/** k8s.io/apiserver/pkg/storage/etcd3/errors.go. */
const expiredContinueMessage =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';
