import { isJsonObject, setOwn } from './json.ts';
import type { MutableJsonObject } from './json.ts';
import type { Json, JsonObject } from './object.ts';

/**
 * RFC 7396 with the edges of gopkg.in/evanphx/json-patch.v4 (merge.go), which kube-apiserver uses: nulls are also taken out of
 * objects that are new, even inside lists. Never changes its arguments.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const result: MutableJsonObject = {};
  for (const key of Object.keys(target)) setOwn(result, key, target[key]);
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === undefined) continue;
    if (value === null) delete result[key];
    else setOwn(result, key, merge(Object.hasOwn(result, key) ? result[key] : undefined, value));
  }
  return result;
}

function merge(current: Json | undefined, patch: Json): Json {
  if (!isJsonObject(current)) return withoutNulls(patch);
  return isJsonObject(patch) ? mergePatch(current, patch) : patch;
}

function withoutNulls(value: Json): Json {
  if (Array.isArray(value))
    return (value as readonly Json[]).map((item) => (item === null ? null : withoutNulls(item)));
  if (!isJsonObject(value)) return value;
  const result: MutableJsonObject = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item !== null && item !== undefined) setOwn(result, key, withoutNulls(item));
  }
  return result;
}
