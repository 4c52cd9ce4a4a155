import { isJsonObject } from '../apimachinery/json.ts';

/**
 * Whether everything that `desired` says stands in `live` too, which may say more: defaults, status, what others added. Lists must have
 * the same length and order. False may be a false alarm, as servers normalize some values; true is never one.
 */
export function isCovered(desired: unknown, live: unknown): boolean {
  if (desired === undefined) return true;
  if (Array.isArray(desired)) {
    if (live === undefined) return desired.length === 0;
    return (
      Array.isArray(live) &&
      live.length === desired.length &&
      desired.every((item, index) => isCovered(item, live[index]))
    );
  }
  if (isJsonObject(desired)) {
    const keys = Object.keys(desired);
    // Servers leave empty objects and lists out.
    if (live === undefined || live === null) return keys.length === 0;
    return (
      isJsonObject(live) &&
      keys.every((key) => isCovered(desired[key], Object.hasOwn(live, key) ? live[key] : undefined))
    );
  }
  return desired === live || (desired === null && live === undefined);
}
