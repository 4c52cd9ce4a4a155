import type { FieldError } from './field-error.ts';
import { forbiddenValue, invalidValue, requiredValue, tooLongValue } from './field-error.ts';
import { checkLabel1123, checkLabelValue, checkName, checkQualifiedName } from './names.ts';
import type { NameRule } from './names.ts';
import { deepEqual } from './json.ts';
import type { ObjectMeta, OwnerReference } from './object.ts';

/** Rules for `metadata` that hold for every kind. k8s.io/apimachinery/pkg/api/validation/objectmeta.go. */

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';
const maxAnnotationBytes = 256 * 1024;

export function validateObjectMeta(meta: ObjectMeta, namespaced: boolean, rule: NameRule): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName) {
    for (const complaint of checkName(rule, meta.generateName, true)) {
      errors.push(invalidValue('metadata.generateName', meta.generateName, complaint));
    }
  }
  if (!meta.name) errors.push(requiredValue('metadata.name', 'name or generateName is required'));
  else {
    // Every rule is stricter than that for path segments (no slash, no percent sign, not `..`).
    for (const complaint of checkName(rule, meta.name))
      errors.push(invalidValue('metadata.name', meta.name, complaint));
  }
  errors.push(...validateNamespace(meta.namespace, namespaced));
  if ((meta.generation ?? 0) < 0)
    errors.push(invalidValue('metadata.generation', meta.generation, 'must be greater than or equal to 0'));
  errors.push(...validateLabels(meta.labels));
  errors.push(...validateAnnotations(meta.annotations));
  errors.push(...validateOwnerReferences(meta.ownerReferences));
  errors.push(...validateFinalizers(meta.finalizers));
  errors.push(...validateManagedFields(meta.managedFields));
  return errors;
}

function validateNamespace(namespace: string | undefined, namespaced: boolean): readonly FieldError[] {
  if (!namespaced) return namespace ? [forbiddenValue('metadata.namespace', 'not allowed on this type')] : [];
  if (!namespace) return [requiredValue('metadata.namespace')];
  return checkLabel1123(namespace).map((complaint) => invalidValue('metadata.namespace', namespace, complaint));
}

function validateLabels(labels: ObjectMeta['labels']): readonly FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...checkQualifiedName(key).map((complaint) => invalidValue('metadata.labels', key, complaint)),
    ...checkLabelValue(value).map((complaint) => invalidValue('metadata.labels', value, complaint)),
  ]);
}

function validateAnnotations(annotations: ObjectMeta['annotations']): readonly FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    for (const complaint of checkQualifiedName(key.toLowerCase()))
      errors.push(invalidValue('metadata.annotations', key, complaint));
  }
  if (bytes > maxAnnotationBytes) errors.push(tooLongValue('metadata.annotations', maxAnnotationBytes));
  return errors;
}

function validateOwnerReferences(references: ObjectMeta['ownerReferences']): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const reference of references ?? []) errors.push(...validateOwnerReference(reference));
  const [first, second] = (references ?? []).filter((reference) => reference.controller === true);
  if (first !== undefined && second !== undefined) {
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`;
    errors.push(invalidValue('metadata.ownerReferences', references, detail));
  }
  return errors;
}

function validateOwnerReference(reference: OwnerReference): readonly FieldError[] {
  const at = 'metadata.ownerReferences';
  const errors: FieldError[] = [];
  // With more than one slash it is no group and version at all.
  const parts = (reference.apiVersion ?? '').split('/');
  const version = parts.length > 2 ? '' : parts.at(-1);
  if (!version) errors.push(invalidValue(`${at}.apiVersion`, reference.apiVersion ?? '', 'version must not be empty'));
  for (const key of ['kind', 'name', 'uid'] as const) {
    if (!reference[key]) errors.push(invalidValue(`${at}.${key}`, '', 'must not be empty'));
  }
  if (reference.apiVersion === 'v1' && reference.kind === 'Event') {
    errors.push(invalidValue(at, reference, '/v1, Kind=Event is disallowed from being an owner'));
  }
  return errors;
}

function validateFinalizers(finalizers: ObjectMeta['finalizers']): readonly FieldError[] {
  const list = finalizers ?? [];
  const errors = list.flatMap((finalizer) =>
    checkQualifiedName(finalizer).map((complaint) => invalidValue('metadata.finalizers', finalizer, complaint)),
  );
  if (list.includes(orphanFinalizer) && list.includes(foregroundFinalizer)) {
    errors.push(
      invalidValue(
        'metadata.finalizers',
        list,
        `finalizer ${orphanFinalizer} and ${foregroundFinalizer} cannot be both set`,
      ),
    );
  }
  return errors;
}

const maxSubresourceLength = 256;

function validateManagedFields(entries: ObjectMeta['managedFields']): readonly FieldError[] {
  return (entries ?? []).flatMap(({ operation, fieldsType, manager = '', subresource = '' }, index) => {
    const at = `metadata.managedFields[${index}]`;
    const isKnown = operation === 'Apply' || operation === 'Update';
    return [
      ...(isKnown ? [] : [invalidValue(`${at}.operation`, operation ?? '', 'must be `Apply` or `Update`')]),
      ...((fieldsType ?? 'FieldsV1') === 'FieldsV1'
        ? []
        : [invalidValue(`${at}.fieldsType`, fieldsType, 'must be `FieldsV1`')]),
      ...checkFieldManager(`${at}.manager`, manager),
      ...(Buffer.byteLength(subresource) > maxSubresourceLength
        ? [tooLongValue(`${at}.subresource`, maxSubresourceLength)]
        : []),
    ];
  });
}

const maxManagerLength = 128;
const printable = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** The name of a manager: at most 128 bytes, printable. k8s.io/apimachinery/pkg/apis/meta/v1/validation, ValidateFieldManager. */
export function checkFieldManager(at: string, manager: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > maxManagerLength) errors.push(tooLongValue(at, maxManagerLength));
  let position = 0;
  for (const char of manager) {
    if (!printable.test(char)) {
      const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(invalidValue(at, manager, `invalid character U+${code} (at position ${position})`));
    }
    position += Buffer.byteLength(char);
  }
  return errors;
}

/** What an update may not do to metadata. `next` has the system's own fields already carried over from `old`. */
export function validateObjectMetaUpdate(next: ObjectMeta, old: ObjectMeta): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const before = new Set(old.finalizers);
    const added = [...new Set(next.finalizers)].filter((finalizer) => !before.has(finalizer)).sort();
    if (added.length > 0) {
      const shown = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`;
      errors.push(forbiddenValue('metadata.finalizers', detail));
    }
  }
  if ((next.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalidValue('metadata.generation', next.generation, 'must not be decremented'));
  }
  for (const key of immutableKeys) {
    if (!deepEqual(next[key], old[key])) errors.push(invalidValue(`metadata.${key}`, next[key], 'field is immutable'));
  }
  // Looked at once more, beside what holds for every object; upstream tells these findings again, too.
  errors.push(...validateLabels(next.labels), ...validateAnnotations(next.annotations));
  errors.push(...validateOwnerReferences(next.ownerReferences), ...validateManagedFields(next.managedFields));
  return errors;
}

const immutableKeys = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

const standardFinalizers: ReadonlySet<string> = new Set([orphanFinalizer, foregroundFinalizer, 'kubernetes']);

/** Warnings about finalizers that `next` has and `old` has not (apiextensions-apiserver, validateKubeFinalizerName). */
export function finalizerWarnings(next: ObjectMeta, old: ObjectMeta | undefined): readonly string[] {
  const before = new Set(old?.finalizers);
  const added = [...new Set(next.finalizers)].filter((finalizer) => !before.has(finalizer)).sort();
  return added
    .filter((finalizer) => !finalizer.includes('/') && !standardFinalizers.has(finalizer))
    .map((finalizer) => {
      const how = finalizer.includes('.')
        ? 'a domain-qualified finalizer name including a path (/)'
        : 'a domain-qualified finalizer name';
      return `metadata.finalizers: ${JSON.stringify(finalizer)}: prefer ${how} to avoid accidental conflicts with other finalizer writers`;
    });
}
