import type { Json, JsonObject } from '../object.ts';
import { getOwn, isJsonObject } from '../json.ts';
import { goQuote } from '../go-format.ts';
import { formatGoFloat } from '../go-value.ts';
import { compareText, sortedKeys } from '../text-order.ts';

/**
 * Order, equality and print of JSON values as sigs.k8s.io/structured-merge-diff/v6/value has them (Compare, Equals, ToString). Whole
 * and other numbers are one type here, as upstream compares them.
 */

/** Numbers, then strings, booleans, lists, objects, null. */
export function compareValues(a: Json, b: Json): number {
  const difference = typeRank(a) - typeRank(b);
  if (difference !== 0) return difference;
  if (typeof a === 'number') return a - (b as number);
  if (typeof a === 'string') return compareText(a, b as string);
  if (typeof a === 'boolean') return Number(a) - Number(b);
  if (Array.isArray(a)) return compareLists(a as readonly Json[], b as readonly Json[]);
  return a === null ? 0 : compareMaps(a as JsonObject, b as JsonObject);
}

function typeRank(value: Json): number {
  if (typeof value === 'number') return 0;
  if (typeof value === 'string') return 1;
  if (typeof value === 'boolean') return 2;
  if (Array.isArray(value)) return 3;
  return value === null ? 5 : 4;
}

function compareLists(a: readonly Json[], b: readonly Json[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const difference = compareValues(a[at]!, b[at]!);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** value.MapCompareUsing, which counts visited keys of both sides together. */
function compareMaps(a: JsonObject, b: JsonObject): number {
  const lengths = [Object.keys(a).length, Object.keys(b).length] as const;
  let visited = 0;
  for (const key of sortedKeys({ ...a, ...b })) {
    const [left, right] = [getOwn(a, key), getOwn(b, key)];
    if (visited === lengths[0]) return -1;
    if (visited === lengths[1]) return 1;
    if (left === undefined) return 1;
    if (right === undefined) return -1;
    const difference = compareValues(left, right);
    if (difference !== 0) return difference;
    visited++;
  }
  return 0;
}

/** Deep equality; a property that is `undefined` counts as absent. */
export function equalValues(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let at = 0; at < a.length; at++) if (!equalValues(a[at] as Json, b[at] as Json)) return false;
    return true;
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  let count = 0;
  for (const key of Object.keys(a)) {
    const left = a[key];
    if (left === undefined) continue;
    count++;
    const right = getOwn(b, key);
    if (right === undefined || !equalValues(left, right)) return false;
  }
  for (const key of Object.keys(b)) if (b[key] !== undefined) count--;
  return count === 0;
}

/** `float`: numbers came from a stored set, where Go has only floats, and prints them so. */
export function formatValue(value: Json, float: boolean): string {
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number') return float ? formatGoFloat(value) : formatNumber(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => formatValue(item, float)).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  return sortedKeys(value)
    .map((key) => `${key}=${formatValue(value[key]!, float)}`)
    .join('');
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : formatGoFloat(value);
}
