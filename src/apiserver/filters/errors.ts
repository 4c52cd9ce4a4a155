import type { ErrorFilter, Request, Response } from './filter.ts';
import type { Logger } from '../../base/log.ts';
import { isAbortError } from '../../base/deadline.ts';
import type { Status } from '../../apimachinery/status.ts';
import { isStatusError, newInternalError, newServiceUnavailable } from '../../apimachinery/status.ts';
import { findContext } from '../request-context.ts';
import { sendStatus } from '../response.ts';
import { StorageFailedError } from '../storage/storage.ts';

/** The one place where what was thrown becomes an answer. What is no StatusError is a fault of ours: logged, and hidden from the client. */
export function newErrorFilter(log: Logger): ErrorFilter {
  return async (error: unknown, request: Request, response: Response) => {
    const context = findContext(request);
    const gone = response.destroyed || context?.signal.aborted === true;
    const status = toStatus(error) ?? toUnavailable(error);
    if (!isStatusError(error) && !(gone && isAbortError(error))) {
      log.error('request failed', {
        path: context?.info.path,
        verb: context?.info.verb,
        auditId: context?.auditId,
        error,
      });
    }
    // Answered already, as when the deadline has passed: the connection may be at the next request, which has done nothing wrong.
    if (response.writableEnded) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    await sendStatus(
      request,
      response,
      status ?? newInternalError("the request could not be served; the server's log says why").status,
    );
  };
}

function toStatus(error: unknown): Status | undefined {
  return isStatusError(error) ? error.status : undefined;
}

/** How long clients of an unreachable store are told to wait. */
const RETRY_SECONDS = 1;

/** The store's own trouble is nothing that the client did, and mostly over soon. */
function toUnavailable(error: unknown): Status | undefined {
  if (!(error instanceof StorageFailedError)) return undefined;
  const why =
    error.failure === 'full' ? 'the storage takes no more data' : 'the storage does not answer; try again later';
  return newServiceUnavailable(why, RETRY_SECONDS).status;
}
