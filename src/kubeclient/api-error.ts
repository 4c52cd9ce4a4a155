import type { Status } from '../apimachinery/status.ts';

/** A server's answer other than success. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status, or the code inside an error event of a watch. */
  readonly code: number;
  /** Kubernetes' reason, such as NotFound or Conflict; empty when the answer was no Status. */
  readonly reason: string;
  /** What the server answered, when it was a Status. */
  readonly status: Status | undefined;
  /** What the server asked to wait before the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, code: number, status?: Status, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.reason = status?.reason ?? '';
    this.status = status;
    const seconds = status?.details?.retryAfterSeconds;
    this.retryAfterMs = retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000);
  }
}

/** No answer came: refused, reset, unreachable, not trusted, or too slow. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** Node's or OpenSSL's code, such as ECONNREFUSED, or TIMEOUT. */
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** An answer came that makes no sense: no JSON, cut off, or too large. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Makes an ApiError of an answer: `context` says what was asked, as "GET /api/v1/nodes". */
export function newApiError(context: string, code: number, body: string, retryAfter?: string): ApiError {
  const status = parseStatus(body);
  const text = status?.message ?? body.slice(0, 512).trim();
  const seconds = retryAfter === undefined ? Number.NaN : Number(retryAfter);
  const retryAfterMs = Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
  return new ApiError(`${context}: ${code}${text === '' ? '' : `: ${text}`}`, code, status, retryAfterMs);
}

function parseStatus(body: string): Status | undefined {
  if (!body.trimStart().startsWith('{')) return undefined;
  try {
    const value = JSON.parse(body) as { readonly kind?: unknown };
    return value.kind === 'Status' ? (value as Status) : undefined;
  } catch (error) {
    // An error page that looks like JSON and is none; the caller shows its text.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function isApiError(error: unknown): error is ApiError {
  return error instanceof ApiError;
}

export function isNotFound(error: unknown): boolean {
  return isApiError(error) && error.code === 404;
}

export function isAlreadyExists(error: unknown): boolean {
  return isApiError(error) && error.reason === 'AlreadyExists';
}

/** A lost race on the resourceVersion, or a precondition that does not hold. */
export function isConflict(error: unknown): boolean {
  return isApiError(error) && error.code === 409 && error.reason !== 'AlreadyExists';
}

export function isForbidden(error: unknown): boolean {
  return isApiError(error) && error.code === 403;
}

export function isInvalid(error: unknown): boolean {
  return isApiError(error) && error.code === 422;
}

/** The resourceVersion is too old to continue from: list again. */
export function isExpired(error: unknown): boolean {
  return isApiError(error) && (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone');
}

/** The resourceVersion is newer than what the server has seen so far. */
export function isTooLargeResourceVersion(error: unknown): boolean {
  if (!isApiError(error)) return false;
  return (
    error.reason === 'Timeout' &&
    (error.status?.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') ?? false)
  );
}
