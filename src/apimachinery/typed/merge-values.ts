import type { PathElement } from '../fieldpath/path-element.ts';
import { getOwn, setOwn } from '../json.ts';
import type { Json } from '../object.ts';
import type { Atom, ListType, MapType } from './atom.ts';
import { asList, asObject, deduce, isEmptyObject, keysOf, resolve } from './deduce.ts';
import { validItemElement } from './list-item.ts';

/**
 * The live object with everything that the partial one says. Nothing is removed. Items of lists keep the live order where the
 * partial one doesn't order them otherwise. Both are valid; the partial one names no item twice.
 * sigs.k8s.io/structured-merge-diff/v6/typed, merge.go.
 */
export function mergeValues(atom: Atom, live: Json, partial: Json): Json {
  return merge(atom, live, partial) ?? null;
}

/** Undefined: nothing came out. */
function merge(atom: Atom, left: Json | undefined, right: Json | undefined): Json | undefined {
  if (right === undefined) return left;
  if (left === undefined || left === right) return right;
  switch (resolve(atom, deduce(atom, right))) {
    case 'map':
      return mergeMaps(atom.map!, left, right);
    case 'list':
      return mergeLists(atom.list!, left, right);
    default:
      return right;
  }
}

function mergeMaps(type: MapType, left: Json, right: Json): Json | undefined {
  const [leftMap, rightMap] = [asObject(left), asObject(right)];
  if (type.atomic) return right;
  if ((leftMap === undefined || isEmptyObject(leftMap)) && (rightMap === undefined || isEmptyObject(rightMap)))
    return right;
  const out = {};
  for (const key of keysOf(leftMap ?? {})) {
    const theirs = rightMap === undefined ? undefined : getOwn(rightMap, key);
    const merged = merge(type.field(key)?.atom ?? type.rest ?? {}, leftMap![key], theirs);
    if (merged !== undefined) setOwn(out, key, merged);
  }
  for (const key of keysOf(rightMap ?? {})) {
    if (leftMap === undefined || getOwn(leftMap, key) === undefined) setOwn(out, key, rightMap![key]);
  }
  return isEmptyObject(out) ? undefined : out;
}

function mergeLists(type: ListType, left: Json, right: Json): Json | undefined {
  const [leftList, rightList] = [asList(left) ?? [], asList(right) ?? []];
  if (type.atomic || (leftList.length === 0 && rightList.length === 0)) return right;
  const merged = new ListMerge(type, leftList, rightList).run();
  return merged.length === 0 ? undefined : merged;
}

/** Two lists into one: steps through both, holding back shared items until the order of the right list lets them come. */
class ListMerge {
  readonly #type: ListType;
  readonly #left: readonly Json[];
  readonly #right: readonly Json[];
  readonly #leftElements: readonly PathElement[];
  readonly #rightElements: readonly PathElement[];
  /** Items by name; an item that the left list names twice counts as null. */
  readonly #leftItems = new Map<string, Json>();
  readonly #rightItems = new Map<string, Json>();
  readonly #shared: string[];
  readonly #taken = new Set<string>();
  readonly #out: Json[] = [];

  constructor(type: ListType, left: readonly Json[], right: readonly Json[]) {
    this.#type = type;
    this.#left = left;
    this.#right = right;
    this.#leftElements = left.map((item) => validItemElement(type, item));
    this.#rightElements = right.map((item) => validItemElement(type, item));
    for (const [at, { id }] of this.#leftElements.entries()) {
      this.#leftItems.set(id, this.#leftItems.has(id) ? null : left[at]!);
    }
    for (const [at, { id }] of this.#rightElements.entries()) this.#rightItems.set(id, right[at]!);
    this.#shared = this.#rightElements.map(({ id }) => id).filter((id) => this.#leftItems.has(id));
  }

  run(): readonly Json[] {
    let next = this.#shared.shift();
    let [l, r] = [0, 0];
    while (l < this.#left.length || r < this.#right.length) {
      const leftId = this.#leftElements[l]?.id;
      const rightId = this.#rightElements[r]?.id;
      if (leftId !== undefined && rightId !== undefined) {
        if (leftId === rightId) {
          this.#takeRight(rightId);
          l++;
          r++;
          next = this.#shared.shift();
          continue;
        }
        if (this.#rightItems.has(leftId) && next !== undefined && next !== leftId) {
          l++;
          continue;
        }
      }
      if (leftId !== undefined) {
        if (!this.#rightItems.has(leftId)) {
          this.#out.push(this.#left[l]!);
          l++;
          continue;
        }
        if (this.#taken.has(leftId)) l++;
      }
      if (rightId !== undefined) {
        this.#takeRight(rightId);
        r++;
        if (next === rightId) next = this.#shared.shift();
      }
    }
    return this.#out;
  }

  #takeRight(id: string): void {
    this.#taken.add(id);
    const merged = merge(this.#type.item, this.#leftItems.get(id), this.#rightItems.get(id));
    if (merged !== undefined) this.#out.push(merged);
  }
}
