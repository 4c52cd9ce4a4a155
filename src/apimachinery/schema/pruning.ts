import { DecodeError } from '../json-text.ts';
import type { Json, JsonObject } from '../object.ts';
import { decodeObjectMeta } from '../object-meta.ts';
import { isJsonObject, setOwn } from '../json.ts';
import type { MutableJsonObject } from '../json.ts';
import { propertySchema } from './defaulting.ts';
import type { Schema } from './schema.ts';

export interface Pruned<T> {
  readonly object: T;
  /** Paths of what was taken out, sorted, such as `spec.controlPlane.extra` or `spec.list[0].extra`. */
  readonly unknownFields: readonly string[];
}

/** Known in every resource and in embedded ones, whatever the schema says. */
const META_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Takes out what the schema of a whole object does not know. Answers the same object where nothing changed; never changes
 * its argument. @throws DecodeError for metadata of an embedded resource that is none. k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning (PruneWithOptions with isResourceRoot).
 */
export function prune<T>(schema: Schema, object: T): Pruned<T> {
  const unknownFields: string[] = [];
  const root: Schema = { ...schema, 'x-kubernetes-embedded-resource': true };
  const embeddedFields: string[] = [];
  const result = pruned(root, object as Json, '', { fields: unknownFields, embedded: embeddedFields });
  return { object: result as T, unknownFields: [...unknownFields.sort(), ...embeddedFields.sort()] };
}

interface Unknown {
  readonly fields: string[];
  /** Below the metadata of embedded resources; these are told last. */
  readonly embedded: string[];
}

/** The metadata of an embedded resource, typed as that of a whole one is (schema/objectmeta, Coerce). @throws DecodeError */
function embeddedMeta(value: Json, path: string, unknown: Unknown): Json {
  try {
    const { metadata, unknownFields } = decodeObjectMeta(value);
    unknown.embedded.push(...unknownFields.map((field) => path + field.slice('metadata'.length)));
    return metadata as Json;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`${path}: Invalid value: ${JSON.stringify(value)}: ${error.message}`, { cause: error });
  }
}

function pruned(schema: Schema | undefined, value: Json, path: string, unknown: Unknown): Json {
  if (Array.isArray(value)) return prunedItems(schema, value, path, unknown);
  return isJsonObject(value) ? prunedProperties(schema, value, path, unknown) : value;
}

function prunedItems(schema: Schema | undefined, values: readonly Json[], path: string, unknown: Unknown): Json {
  if (schema?.items === undefined && keepsUnknown(schema)) return values;
  let changed = false;
  const result = values.map((value, index) => {
    const next = pruned(schema?.items, value, `${path}[${index}]`, unknown);
    changed ||= next !== value;
    return next;
  });
  return changed ? result : values;
}

function prunedProperties(schema: Schema | undefined, object: JsonObject, path: string, unknown: Unknown): Json {
  const result: MutableJsonObject = {};
  let changed = false;
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === undefined) continue;
    const keyPath = path === '' ? key : `${path}.${key}`;
    if (schema?.['x-kubernetes-embedded-resource'] === true && META_FIELDS.has(key)) {
      const next = key === 'metadata' && path !== '' ? embeddedMeta(value, keyPath, unknown) : value;
      changed ||= next !== value;
      setOwn(result, key, next);
      continue;
    }
    const property = schema === undefined ? undefined : propertySchema(schema, key);
    if (property !== undefined) {
      const next = pruned(property, value, keyPath, unknown);
      changed ||= next !== value;
      setOwn(result, key, next);
    } else if (keepsUnknown(schema)) setOwn(result, key, value);
    else {
      unknown.fields.push(keyPath);
      changed = true;
    }
  }
  return changed ? result : object;
}

function keepsUnknown(schema: Schema | undefined): boolean {
  return schema?.['x-kubernetes-preserve-unknown-fields'] === true || schema?.additionalProperties === true;
}
