import type { FieldError } from '../field-error.ts';
import {
  duplicateValue,
  invalidType,
  invalidValue,
  requiredValue,
  tooLongValue,
  tooManyValues,
  unsupportedValue,
} from '../field-error.ts';
import { goQuote } from '../go-format.ts';
import { getOwn, isJsonObject } from '../json.ts';
import { validateObjectMeta } from '../meta-validation.ts';
import { checkLabel1035 } from '../names.ts';
import type { Json, JsonObject, ObjectMeta } from '../object.ts';
import { propertySchema } from './defaulting.ts';
import { hasFormat } from './formats.ts';
import type { Schema } from './schema.ts';

/**
 * Checks a defaulted object against its schema; no finding means valid. Texts and paths are those of
 * CustomResourceDefinitions (k8s.io/kube-openapi/pkg/validation/validate, apiextensions-apiserver/pkg/apiserver/validation
 * and .../schema/listtype), save that a number out of the range of its format names its field.
 * `path` is that of the value, empty for a whole object.
 */
export function validate(schema: Schema, value: unknown, path = ''): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateValue(schema, value as Json, path, errors);
  return errors;
}

/** Looking for more would only cost time: an answer tells a hundred (status.ts, newInvalid). */
const ENOUGH = 101;

function validateValue(schema: Schema, value: Json, path: string, errors: FieldError[]): void {
  if (errors.length >= ENOUGH) return;
  if (value === null && schema.nullable === true) return;
  const expected = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : schema.type;
  const actual = typeName(value);
  if (expected !== undefined && !isOfType(expected, actual)) {
    errors.push(invalidType(path, actual, `${path} in body must be of type ${String(expected)}: "${actual}"`));
  }
  if (typeof value === 'string') validateString(schema, value, path, errors);
  else if (typeof value === 'number') validateNumber(schema, value, path, errors);
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    errors.push(
      unsupportedValue(
        path,
        value,
        schema.enum.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))),
      ),
    );
  }
  if (Array.isArray(value)) validateArray(schema, value, path, errors);
  else if (isJsonObject(value)) validateObject(schema, value, path, errors);
}

function typeName(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? 'integer' : 'number';
  return typeof value;
}

function isOfType(expected: string | readonly string[], actual: string): boolean {
  if (typeof expected !== 'string') return expected.includes(actual);
  return expected === actual || (expected === 'number' && actual === 'integer');
}

/** Stands for values of format `byte` in messages: they may be credentials. */
const REDACTED = '<not shown>';

function validateString(schema: Schema, value: string, path: string, errors: FieldError[]): void {
  const finding = stringFinding(schema, value, path);
  if (finding !== undefined) errors.push(finding);
  if (schema.format !== undefined && !hasFormat(schema.format, value)) {
    const shown = schema.format === 'byte' ? REDACTED : value;
    errors.push(invalidType(path, shown, `${path} in body must be of type ${schema.format}: ${goQuote(shown)}`));
  }
}

/** The first one only, as the reference has it. */
function stringFinding(schema: Schema, value: string, path: string): FieldError | undefined {
  const { minLength = 0, maxLength = Infinity, pattern } = schema;
  if (value.length > maxLength && codePoints(value) > maxLength) return tooLongValue(path, maxLength);
  if (value.length < 2 * minLength && codePoints(value) < minLength) {
    return invalidValue(path, value, `${path} in body should be at least ${minLength} chars long`);
  }
  if (pattern !== undefined && !compiledPattern(pattern).test(value)) {
    return invalidValue(path, value, `${path} in body should match '${pattern}'`);
  }
  return undefined;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

const patterns = new Map<string, RegExp>();

/** Patterns come from our own schemas only, so the cache is bounded and none of them is hostile. */
function compiledPattern(pattern: string): RegExp {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) patterns.set(pattern, (compiled = new RegExp(pattern, 'u')));
  return compiled;
}

function validateNumber(schema: Schema, value: number, path: string, errors: FieldError[]): void {
  if (schema.format === 'int32' && (value < -(2 ** 31) || value >= 2 ** 31)) {
    errors.push(invalidValue(path, value, `${path} in body must be of type integer with format int32`));
  }
  if (schema.minimum !== undefined && value < schema.minimum) {
    errors.push(invalidValue(path, value, `${path} in body should be greater than or equal to ${schema.minimum}`));
  }
  if (schema.maximum !== undefined && value > schema.maximum) {
    errors.push(invalidValue(path, value, `${path} in body should be less than or equal to ${schema.maximum}`));
  }
}

function validateArray(schema: Schema, values: readonly Json[], path: string, errors: FieldError[]): void {
  if (schema.items !== undefined) {
    for (const [index, value] of values.entries()) validateValue(schema.items, value, `${path}[${index}]`, errors);
  }
  if (schema.minItems !== undefined && values.length < schema.minItems) {
    errors.push(invalidValue(path, values.length, `${path} in body should have at least ${schema.minItems} items`));
  }
  if (schema.maxItems !== undefined && values.length > schema.maxItems) {
    errors.push(tooManyValues(path, values.length, schema.maxItems));
  }
  if (schema.uniqueItems === true && duplicates(values.map(identity)).length > 0) {
    errors.push(invalidValue(path, values, `${path} in body shouldn't contain duplicates`));
  }
  if (errors.length < ENOUGH) validateListType(schema, values, path, errors);
}

function validateListType(schema: Schema, values: readonly Json[], path: string, errors: FieldError[]): void {
  const listType = schema['x-kubernetes-list-type'];
  if (listType === 'set') {
    for (const index of duplicates(values.map(identity)))
      errors.push(duplicateValue(`${path}[${index}]`, values[index]));
  } else if (listType === 'map' && values.every(isJsonObject)) {
    const keys = values.map((value) => mapKey(schema['x-kubernetes-list-map-keys'] ?? [], value));
    for (const index of duplicates(keys.map(identity))) errors.push(duplicateValue(`${path}[${index}]`, keys[index]));
  }
}

/** Indices of the first repetition of every value that is there more than once, in order. */
function duplicates(values: readonly string[]): number[] {
  const seen = new Map<string, number>();
  const found: number[] = [];
  for (const [index, value] of values.entries()) {
    const times = seen.get(value) ?? 0;
    if (times === 1) found.push(index);
    seen.set(value, times + 1);
  }
  return found;
}

/** Equal for values that are equal as JSON, whatever the order of their keys. */
function identity(value: Json): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isJsonObject(part) ? { object: Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)) } : part,
  );
}

function mapKey(names: readonly string[], value: Json): JsonObject {
  const key: Record<string, Json> = {};
  if (!isJsonObject(value)) return key;
  for (const name of names) {
    const part = getOwn(value, name);
    if (part !== undefined) key[name] = part;
  }
  return key;
}

function validateObject(schema: Schema, object: JsonObject, path: string, errors: FieldError[]): void {
  for (const key of Object.keys(object)) {
    const property = propertySchema(schema, key);
    const value = object[key];
    if (property !== undefined && value !== undefined) validateValue(property, value, childPath(path, key), errors);
  }
  if (schema['x-kubernetes-embedded-resource'] === true && path !== '') validateEmbedded(object, path, errors);
  for (const name of schema.required ?? []) {
    if (getOwn(object, name) === undefined) errors.push(requiredValue(childPath(path, name)));
  }
}

/** apiextensions-apiserver/pkg/apiserver/schema/objectmeta, validateEmbeddedResource. */
function validateEmbedded(object: JsonObject, path: string, errors: FieldError[]): void {
  const text = (key: string): string => (typeof object[key] === 'string' ? object[key] : '');
  if (text('apiVersion') === '') errors.push(requiredValue(`${path}.apiVersion`));
  const kind = text('kind');
  if (kind === '') errors.push(requiredValue(`${path}.kind`));
  else {
    for (const complaint of checkLabel1035(kind.toLowerCase())) {
      errors.push(invalidValue(`${path}.kind`, kind, `may have mixed case, but should otherwise match: ${complaint}`));
    }
  }
  // A name may be left to whoever makes an object of it.
  const metadata = { name: 'any', ...((object['metadata'] ?? {}) as ObjectMeta) };
  for (const error of validateObjectMeta(metadata, metadata.namespace !== undefined, 'rfc1123Subdomain')) {
    errors.push({ ...error, field: `${path}.${error.field}` });
  }
}

function childPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
