import type { Json, JsonObject } from '../object.ts';
import { isJsonObject, setOwn } from '../json.ts';
import type { MutableJsonObject } from '../json.ts';
import { propertySchema } from './defaulting.ts';
import type { Schema } from './schema.ts';

export interface Pruned<T> {
  readonly object: T;
  /** Paths of what was taken out, sorted, such as `spec.controlPlane.extra` or `spec.list[0].extra`. */
  readonly unknownFields: readonly string[];
}

/** Known in every resource and in embedded ones, whatever the schema says; the content is not looked into. */
const META_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Takes out what the schema of a whole object does not know. Answers the same object where nothing changed; never changes
 * its argument. k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning (PruneWithOptions with isResourceRoot).
 */
export function prune<T>(schema: Schema, object: T): Pruned<T> {
  const unknownFields: string[] = [];
  const root: Schema = { ...schema, 'x-kubernetes-embedded-resource': true };
  const result = pruned(root, object as Json, '', unknownFields);
  return { object: result as T, unknownFields: unknownFields.sort() };
}

function pruned(schema: Schema | undefined, value: Json, path: string, unknown: string[]): Json {
  if (Array.isArray(value)) return prunedItems(schema, value, path, unknown);
  return isJsonObject(value) ? prunedProperties(schema, value, path, unknown) : value;
}

function prunedItems(schema: Schema | undefined, values: readonly Json[], path: string, unknown: string[]): Json {
  if (schema?.items === undefined && keepsUnknown(schema)) return values;
  let changed = false;
  const result = values.map((value, index) => {
    const next = pruned(schema?.items, value, `${path}[${index}]`, unknown);
    changed ||= next !== value;
    return next;
  });
  return changed ? result : values;
}

function prunedProperties(schema: Schema | undefined, object: JsonObject, path: string, unknown: string[]): Json {
  const result: MutableJsonObject = {};
  let changed = false;
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === undefined) continue;
    const keyPath = path === '' ? key : `${path}.${key}`;
    if (schema?.['x-kubernetes-embedded-resource'] === true && META_FIELDS.has(key)) {
      setOwn(result, key, value);
      continue;
    }
    const property = schema === undefined ? undefined : propertySchema(schema, key);
    if (property !== undefined) {
      const next = pruned(property, value, keyPath, unknown);
      changed ||= next !== value;
      setOwn(result, key, next);
    } else if (keepsUnknown(schema)) setOwn(result, key, value);
    else {
      unknown.push(keyPath);
      changed = true;
    }
  }
  return changed ? result : object;
}

function keepsUnknown(schema: Schema | undefined): boolean {
  return schema?.['x-kubernetes-preserve-unknown-fields'] === true || schema?.additionalProperties === true;
}
