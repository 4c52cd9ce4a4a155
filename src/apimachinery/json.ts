import type { Json, JsonObject } from './object.ts';

/**
 * Plain JSON values, safely. Keys of client data may be `__proto__` or `constructor`: they are data like any other, so
 * objects are read through own properties and written through `setOwn` only.
 */

export type MutableJsonObject = { [key: string]: Json | undefined };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The own property `key`, or undefined; never something inherited. */
export function getOwn(object: object, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? (object as JsonObject)[key] : undefined;
}

/** Sets an own property; `__proto__` becomes a plain key instead of changing the prototype. */
export function setOwn(object: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    (object as Record<string, unknown>)[key] = value;
  }
}

/** A copy of one level. */
export function shallowCopy(object: object): MutableJsonObject {
  const copy: MutableJsonObject = {};
  for (const key of Object.keys(object)) setOwn(copy, key, (object as JsonObject)[key]);
  return copy;
}

export function deepCopy<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => deepCopy(item)) as T;
  if (!isJsonObject(value)) return value;
  const copy: MutableJsonObject = {};
  for (const key of Object.keys(value)) setOwn(copy, key, deepCopy(value[key]));
  return copy as T;
}

/** Structural equality; an `undefined` property counts as absent. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => deepEqual(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = definedKeys(a);
  return (
    keys.length === definedKeys(b).length && keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]))
  );
}

function definedKeys(object: JsonObject): readonly string[] {
  return Object.keys(object).filter((key) => object[key] !== undefined);
}

/** The value at a path of keys, through objects only. */
export function valueAt(object: unknown, path: readonly string[]): Json | undefined {
  let current: unknown = object;
  for (const key of path) {
    if (!isJsonObject(current)) return undefined;
    current = getOwn(current, key);
  }
  return current as Json | undefined;
}

/** A copy of `object` with the value at `path` set; missing objects on the way are made. */
export function withValueAt(object: object, path: readonly string[], value: Json): MutableJsonObject {
  const [head, ...rest] = path;
  if (head === undefined) throw new Error('a path needs at least one key');
  const copy = shallowCopy(object);
  const child = getOwn(copy, head);
  setOwn(copy, head, rest.length === 0 ? value : withValueAt(isJsonObject(child) ? child : {}, rest, value));
  return copy;
}

/** Whether containers nest deeper than `levels` in a value. Looks no further than that. */
export function nestsDeeper(value: Json | undefined, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels <= 0) return true;
  return Object.values(value).some((item: Json | undefined) => nestsDeeper(item, levels - 1));
}
