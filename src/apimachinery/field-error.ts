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
