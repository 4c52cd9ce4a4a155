import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express';
import type { Logger } from '../../base/log.ts';
import { isAbortError } from '../../base/deadline.ts';
import type { Status } from '../../apimachinery/status.ts';
import { isStatusError, newInternalError } from '../../apimachinery/status.ts';
import { findContext } from '../request-context.ts';
import { sendStatus } from '../response.ts';

/** The one place where what was thrown becomes an answer. What is no StatusError is a fault of ours: logged, and hidden from the client. */
export function newErrorFilter(log: Logger): ErrorRequestHandler {
  return async (error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const context = findContext(request);
    const gone = response.destroyed || context?.signal.aborted === true;
    const status = toStatus(error);
    if (status === undefined && !(gone && isAbortError(error))) {
      log.error('request failed', {
        path: context?.info.path,
        verb: context?.info.verb,
        auditId: context?.auditId,
        error,
      });
    }
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
