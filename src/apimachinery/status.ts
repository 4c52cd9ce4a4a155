import type { FieldError } from './field-error.ts';
import { formatFieldError } from './field-error.ts';
import { goQuote } from './go-format.ts';

/**
 * Every error of the wire is born here, in the words of k8s.io/apimachinery/pkg/api/errors (errors.go), because clients and
 * people match on code, reason and message.
 */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** An answer other than success. Thrown by whoever refuses; written to the wire in one place. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status;
  constructor(status: Status) {
    super(status.message ?? 'unknown');
    this.status = status;
  }
  get code(): number {
    return this.status.code;
  }
  get reason(): string | undefined {
    return this.status.reason;
  }
}

/** True for a StatusError, with the given reason if one is given. */
export function isStatusError(error: unknown, reason?: string): error is StatusError {
  return error instanceof StatusError && (reason === undefined || error.status.reason === reason);
}

export function qualifiedResource(resource: GroupResource): string {
  return resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
}

function qualifiedKind(kind: GroupKind): string {
  return kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
}

function failure(
  code: number,
  reason: string | undefined,
  message: string,
  details?: StatusDetails,
  continueToken?: string,
): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: continueToken === undefined ? {} : { continue: continueToken },
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details: dropEmpty(details) }),
    code,
  });
}

function dropEmpty(details: StatusDetails): StatusDetails {
  const { name, group, kind, uid, causes, retryAfterSeconds } = details;
  return {
    ...(name ? { name } : {}),
    ...(group ? { group } : {}),
    ...(kind ? { kind } : {}),
    ...(uid ? { uid } : {}),
    ...(causes !== undefined && causes.length > 0 ? { causes } : {}),
    ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
  };
}

function resourceDetails(resource: GroupResource, name: string): StatusDetails {
  return { name, group: resource.group, kind: resource.resource };
}

export function newNotFound(resource: GroupResource, name: string): StatusError {
  return failure(
    404,
    'NotFound',
    `${qualifiedResource(resource)} ${goQuote(name)} not found`,
    resourceDetails(resource, name),
  );
}

/** For paths that name nothing we serve. */
export function newUnknownPath(): StatusError {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function newAlreadyExists(resource: GroupResource, name: string, beingDeleted = false): StatusError {
  const message = `${qualifiedResource(resource)} ${goQuote(name)} already exists`;
  return failure(
    409,
    'AlreadyExists',
    beingDeleted ? `object is being deleted: ${message}` : message,
    resourceDetails(resource, name),
  );
}

export function newGenerateNameConflict(resource: GroupResource, name: string): StatusError {
  const message = `${qualifiedResource(resource)} ${goQuote(name)} already exists, the server was not able to generate a unique name for the object`;
  return failure(409, 'AlreadyExists', message, { ...resourceDetails(resource, name), retryAfterSeconds: 1 });
}

export function newConflict(resource: GroupResource, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualifiedResource(resource)} ${goQuote(name)}: ${why}`;
  return failure(409, 'Conflict', message, resourceDetails(resource, name));
}

/** An apply that would change what others own. */
export function newApplyConflict(causes: readonly StatusCause[], message: string): StatusError {
  return failure(409, 'Conflict', message, { causes });
}

/** The fixed text clients know as "somebody else was faster". k8s.io/apiserver/pkg/registry/generic/registry, OptimisticLockErrorMsg. */
export const optimisticLockMessage =
  'the object has been modified; please apply your changes to the latest version and try again';

/** More findings than this help nobody, and a hostile body can have millions. */
const maxFindings = 100;

/** Carries one cause per field error; the message holds each distinct finding once. At most 100 of them are told. */
export function newInvalid(kind: GroupKind, name: string, allErrors: readonly FieldError[]): StatusError {
  const errors = allErrors.length > maxFindings ? allErrors.slice(0, maxFindings) : allErrors;
  const causes = errors.map((error) => ({ reason: error.type, message: error.message, field: error.field }));
  const details: StatusDetails = { name, group: kind.group, kind: kind.kind, causes };
  const head = `${qualifiedKind(kind)} ${goQuote(name)} is invalid`;
  const texts = [...new Set(errors.map(formatFieldError))];
  if (errors.length < allErrors.length) texts.push('and more');
  if (texts.length === 0) return failure(422, 'Invalid', head, details);
  return failure(422, 'Invalid', `${head}: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`, details);
}

/** A request that cannot be processed though each of its parts is well-formed (a JSON patch that does not fit). */
export function newUnprocessable(): StatusError {
  return failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

export function newForbidden(
  resource: GroupResource,
  name: string,
  why: string,
  causes: readonly StatusCause[] = [],
): StatusError {
  const qualified = qualifiedResource(resource);
  const subject =
    resource.resource === '' ? '' : name === '' ? `${qualified} is ` : `${qualified} ${goQuote(name)} is `;
  return failure(403, 'Forbidden', `${subject}forbidden: ${why}`, { ...resourceDetails(resource, name), causes });
}

export function newBadRequest(message: string): StatusError {
  return failure(400, 'BadRequest', message);
}

export function newUnauthorized(message = 'Unauthorized'): StatusError {
  return failure(401, 'Unauthorized', message);
}

export function newMethodNotSupported(resource: GroupResource, action: string): StatusError {
  return failure(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind ${goQuote(qualifiedResource(resource))}`,
    {
      group: resource.group,
      kind: resource.resource,
    },
  );
}

/** For methods (HEAD, OPTIONS, ...) and paths that have no verb at all. */
export function newMethodNotAllowed(): StatusError {
  return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

export function newNotAcceptable(accepted: readonly string[]): StatusError {
  return failure(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
}

/** A form that this answer cannot take, such as a list for an object. */
export function newNotAcceptableConversion(message: string): StatusError {
  return failure(406, 'NotAcceptable', message);
}

export function newUnsupportedMediaType(accepted: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return failure(415, 'UnsupportedMediaType', message);
}

export function newRequestTooLarge(why: string): StatusError {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: ${why}`);
}

/** `continueToken`: goes on with the list at newer state than it began with. */
export function newExpired(message: string, continueToken?: string): StatusError {
  return failure(410, 'Expired', message, undefined, continueToken);
}

export function newTimeout(
  message: string,
  retryAfterSeconds: number,
  causes: readonly StatusCause[] = [],
): StatusError {
  return failure(504, 'Timeout', `Timeout: ${message}`, { retryAfterSeconds, causes });
}

/** k8s.io/apiserver/pkg/storage, NewTooLargeResourceVersionError. */
export function newResourceVersionTooLarge(requested: number | string, current: number): StatusError {
  return newTimeout(`Too large resource version: ${requested}, current: ${current}`, 1, [
    { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' },
  ]);
}

export function newTooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return failure(429, 'TooManyRequests', message, { retryAfterSeconds });
}

export function newServiceUnavailable(message: string, retryAfterSeconds = 0): StatusError {
  return failure(503, 'ServiceUnavailable', message, { retryAfterSeconds });
}

/** `message` goes to the client: it must not hold what only operators may see. */
export function newInternalError(message: string): StatusError {
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** What kube-apiserver makes of an error that is no Status: 500 without a reason, and the error's own text. */
export function newUnknownError(message: string): StatusError {
  return failure(500, undefined, message);
}

/** The answer to a delete that is done, in kube-apiserver's form: `kind` is the resource's plural, and there is no code. */
export function newDeletedStatus(resource: GroupResource, name: string, uid: string): Omit<Status, 'code'> {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, group: resource.group, kind: resource.resource, uid },
  };
}
