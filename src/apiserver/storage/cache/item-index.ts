import type { CachedItem } from './cached-item.ts';

/** Items in key order, as SQLite and etcd order keys: by code points. */
export type Items = readonly CachedItem[];

const beyondAscii = /[^\0-\x7f]/;

/** Negative, zero or positive, as keys are ordered by code points. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  // JavaScript orders by UTF-16 units, which differ from code points only where surrogates come in.
  if (beyondAscii.test(a) && beyondAscii.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

/** Position of the first item whose key is not below `key`. */
export function lowerBound(items: Items, key: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(items[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Positions [from, to) of the items under `prefix`, of those behind `afterKey`. */
export function rangeOf(items: Items, prefix: string, afterKey: string | undefined): readonly [number, number] {
  const begin = lowerBound(items, prefix);
  let low = begin;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (items[middle]!.key.startsWith(prefix)) low = middle + 1;
    else high = middle;
  }
  if (afterKey === undefined) return [begin, low];
  const behind = lowerBound(items, afterKey);
  return [Math.min(low, Math.max(begin, items[behind]?.key === afterKey ? behind + 1 : behind)), low];
}

/** The newest items. Who has taken a view keeps it unchanged: the next change copies what is shared. */
export class ItemIndex {
  #items: CachedItem[] = [];
  #isShared = false;

  view(): Items {
    this.#isShared = true;
    return this.#items;
  }

  get(key: string): CachedItem | undefined {
    const item = this.#items[lowerBound(this.#items, key)];
    return item?.key === key ? item : undefined;
  }

  /** Sets or, with no item, removes what is at `key`. */
  set(key: string, item: CachedItem | undefined): void {
    if (this.#isShared) {
      this.#items = this.#items.slice();
      this.#isShared = false;
    }
    const at = lowerBound(this.#items, key);
    const isThere = this.#items[at]?.key === key;
    if (item === undefined) {
      if (isThere) this.#items.splice(at, 1);
    } else this.#items.splice(at, isThere ? 1 : 0, item);
  }

  /** Everything anew; `items` are in order. */
  replace(items: Items): void {
    this.#items = items.slice();
    this.#isShared = false;
  }
}

/** `items` with what `before` tells about some keys put back: the item that was there, or that there was none. */
export function undo(items: Items, before: ReadonlyMap<string, CachedItem | undefined>): Items {
  const kept = items.filter((item) => !before.has(item.key));
  const restored = [...before.values()].filter((item) => item !== undefined);
  restored.sort((a, b) => compareKeys(a.key, b.key));
  const merged: CachedItem[] = [];
  let at = 0;
  for (const item of kept) {
    while (at < restored.length && compareKeys(restored[at]!.key, item.key) < 0) merged.push(restored[at++]!);
    merged.push(item);
  }
  return [...merged, ...restored.slice(at)];
}
