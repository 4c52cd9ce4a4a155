import { goQuote } from './go-format.ts';

/**
 * One finding of a validation: which field, what is wrong. Rendered into Status causes.
 * Shapes and texts follow k8s.io/apimachinery/pkg/util/validation/field (Error.ErrorBody).
 */
export type FieldErrorType =
  | 'FieldValueInvalid'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueNotFound'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

export interface FieldError {
  readonly type: FieldErrorType;
  /** Go-style path: `spec.kubernetes.version`, `spec.networkProfile.serviceCidrs[0]`, `metadata.labels[a/b]`. */
  readonly field: string;
  /** Ready text as apimachinery prints it after `field: `, e.g. `Invalid value: "x": must be a CIDR`. */
  readonly message: string;
}

/** A value is told up to this length; a hostile one has millions of characters, and appears in several messages. */
const maxShown = 10_000;

/** How apimachinery prints the offending value: strings quoted, numbers and booleans bare, all else as JSON. */
export function formatBadValue(value: unknown): string {
  if (typeof value === 'string') return goQuote(cut(value));
  if (value === undefined) return 'null';
  return cut(JSON.stringify(value));
}

function cut(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown)}...` : text;
}

function finding(
  type: FieldErrorType,
  field: string,
  title: string,
  value: string | undefined,
  detail: string,
): FieldError {
  const head = value === undefined ? title : `${title}: ${value}`;
  return { type, field, message: detail === '' ? head : `${head}: ${detail}` };
}

export function invalidValue(field: string, value: unknown, detail: string): FieldError {
  return finding('FieldValueInvalid', field, 'Invalid value', formatBadValue(value), detail);
}

export function invalidType(field: string, value: unknown, detail: string): FieldError {
  return finding('FieldValueTypeInvalid', field, 'Invalid value', formatBadValue(value), detail);
}

export function requiredValue(field: string, detail = ''): FieldError {
  return finding('FieldValueRequired', field, 'Required value', undefined, detail);
}

export function duplicateValue(field: string, value: unknown): FieldError {
  return finding('FieldValueDuplicate', field, 'Duplicate value', formatBadValue(value), '');
}

export function notFoundValue(field: string, value: unknown): FieldError {
  return finding('FieldValueNotFound', field, 'Not found', formatBadValue(value), '');
}

export function unsupportedValue(field: string, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length === 0 ? '' : `supported values: ${supported.map(goQuote).join(', ')}`;
  return finding('FieldValueNotSupported', field, 'Unsupported value', formatBadValue(value), detail);
}

export function forbiddenValue(field: string, detail: string): FieldError {
  return finding('FieldValueForbidden', field, 'Forbidden', undefined, detail);
}

/** `maxLength` in `unit`; apimachinery never prints the value itself. */
export function tooLongValue(field: string, maxLength: number, unit: 'byte' | 'character' = 'byte'): FieldError {
  const plural = maxLength === 1 ? unit : `${unit}s`;
  return finding('FieldValueTooLong', field, 'Too long', undefined, `may not be more than ${maxLength} ${plural}`);
}

export function tooManyValues(field: string, actual: number, max: number): FieldError {
  const detail = `must have at most ${max} ${max === 1 ? 'item' : 'items'}`;
  return finding('FieldValueTooMany', field, 'Too many', String(actual), detail);
}

/** One finding as apimachinery's `Error()` prints it. */
export function formatFieldError(error: FieldError): string {
  return `${error.field}: ${error.message}`;
}
