import type { Json } from '../object.ts';
import { deepCopy, getOwn, isJsonObject, setOwn, shallowCopy } from '../json.ts';
import type { MutableJsonObject } from '../json.ts';
import type { Schema } from './schema.ts';

/**
 * Puts in the defaults of a schema. A default applies where the parent is there and the property is missing, or null though
 * the schema is not nullable; such a null without a default is dropped. Defaults are defaulted in turn.
 * Answers the same object where nothing changed; never changes its argument.
 * k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting (Default, PruneNonNullableNullsWithoutDefaults).
 */
export function applyDefaults<T>(schema: Schema, value: T): T {
  return defaulted(schema, value as Json, false) as T;
}

/** The same, but nulls that have no business there stay for validation to find (Default alone). */
export function applyDefaultsOnly<T>(schema: Schema, value: T): T {
  return defaulted(schema, value as Json, true) as T;
}

function defaulted(schema: Schema, value: Json, keepsNulls: boolean): Json {
  if (Array.isArray(value)) return defaultedItems(schema.items, value, keepsNulls);
  return isJsonObject(value) ? defaultedProperties(schema, value, keepsNulls) : value;
}

function defaultedItems(items: Schema | undefined, values: readonly Json[], keepsNulls: boolean): readonly Json[] {
  if (items === undefined) return values;
  let changed = false;
  const result = values.map((value) => {
    const next = defaulted(items, replacesNull(items, value) ? deepCopy(items.default ?? null) : value, keepsNulls);
    changed ||= next !== value;
    return next;
  });
  return changed ? result : values;
}

function defaultedProperties(
  schema: Schema,
  object: Readonly<Record<string, Json | undefined>>,
  keepsNulls: boolean,
): Json {
  let copy: MutableJsonObject | undefined;
  for (const key of Object.keys(object)) {
    const value = object[key];
    const property = propertySchema(schema, key);
    if (property === undefined || value === undefined) continue;
    if (replacesNull(property, value) && property.default === undefined) {
      if (keepsNulls) continue;
      copy ??= shallowCopy(object);
      delete copy[key];
      continue;
    }
    const given = replacesNull(property, value) ? deepCopy(property.default ?? null) : value;
    const next = defaulted(property, given, keepsNulls);
    if (next === value) continue;
    copy ??= shallowCopy(object);
    setOwn(copy, key, next);
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined || getOwn(object, key) !== undefined) continue;
    copy ??= shallowCopy(object);
    setOwn(copy, key, defaulted(property, deepCopy(property.default), keepsNulls));
  }
  return copy ?? object;
}

function replacesNull(schema: Schema, value: Json): boolean {
  return value === null && schema.nullable !== true;
}

/** The schema of a property or map value; undefined when the schema says nothing about it. */
export function propertySchema(schema: Schema, key: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}
