import { FieldSet } from '../fieldpath/field-set.ts';
import type { PathElement } from '../fieldpath/path-element.ts';
import { fieldElement } from '../fieldpath/path-element.ts';
import { equalValues } from '../fieldpath/value-order.ts';
import { getOwn } from '../json.ts';
import type { Json, JsonObject } from '../object.ts';
import type { Atom, ListType, MapType } from './atom.ts';
import type { Reading } from './deduce.ts';
import { asList, asObject, deduce, isEmptyObject, keysOf, resolve, sameReading } from './deduce.ts';
import { validItemElement } from './list-item.ts';

/** No path is in two of the sets; objects with three empty sets are equal. */
export interface Comparison {
  readonly removed: FieldSet;
  readonly modified: FieldSet;
  readonly added: FieldSet;
}

/**
 * What the right one of two valid objects of a type has removed, changed and added.
 * sigs.k8s.io/structured-merge-diff/v6/typed, compare.go.
 */
export function compare(atom: Atom, left: Json, right: Json): Comparison {
  const walk = new ComparingWalk();
  walk.visit(atom, left, right);
  return walk.result;
}

class ComparingWalk {
  readonly result: Comparison = { removed: new FieldSet(), modified: new FieldSet(), added: new FieldSet() };
  readonly #path: PathElement[] = [];

  visit(atom: Atom, left: Json | undefined, right: Json | undefined): void {
    if (left === right) return;
    const [leftReading, rightReading] = [deduce(atom, left), deduce(atom, right)];
    let wasLeaf: boolean;
    if (right === undefined) wasLeaf = this.#handle(atom, leftReading, left, right);
    else {
      if (left !== undefined && !sameReading(atom, leftReading, rightReading)) {
        this.#handle(atom, leftReading, left, right);
      }
      wasLeaf = this.#handle(atom, rightReading, left, right);
    }
    if (wasLeaf) return;
    if (left === undefined) this.result.added.insert(this.#path);
    else if (right === undefined) this.result.removed.insert(this.#path);
  }

  /** Answers whether the value was dealt with as a whole. */
  #handle(atom: Atom, reading: Reading, left: Json | undefined, right: Json | undefined): boolean {
    switch (resolve(atom, reading)) {
      case 'map':
        return this.#map(atom.map!, left, right);
      case 'list':
        return this.#list(atom.list!, left, right);
      default:
        return this.#leaf(left, right);
    }
  }

  #leaf(left: Json | undefined, right: Json | undefined): true {
    if (left === undefined) this.result.added.insert(this.#path);
    else if (right === undefined) this.result.removed.insert(this.#path);
    else if (!equalValues(right, left)) this.result.modified.insert(this.#path);
    return true;
  }

  #map(type: MapType, left: Json | undefined, right: Json | undefined): boolean {
    const [leftMap, rightMap] = [asObject(left), asObject(right)];
    // Empty and null are told apart, so where nothing is inside they are leaves.
    const isEmpty = (map: JsonObject | undefined) => map === undefined || isEmptyObject(map);
    if (type.atomic || (isEmpty(leftMap) && isEmpty(rightMap))) return this.#leaf(left, right);
    for (const key of keysOf(leftMap ?? {})) {
      this.#field(type, key, leftMap![key], rightMap === undefined ? undefined : getOwn(rightMap, key));
    }
    for (const key of keysOf(rightMap ?? {})) {
      if (leftMap === undefined || getOwn(leftMap, key) === undefined)
        this.#field(type, key, undefined, rightMap![key]);
    }
    return false;
  }

  #field(type: MapType, key: string, left: Json | undefined, right: Json | undefined): void {
    if (left === right) return;
    const field = type.field(key);
    this.#path.push(field?.element ?? fieldElement(key));
    this.visit(field?.atom ?? type.rest ?? {}, left, right);
    this.#path.pop();
  }

  #list(type: ListType, left: Json | undefined, right: Json | undefined): boolean {
    const [leftList, rightList] = [asList(left) ?? [], asList(right) ?? []];
    if (type.atomic || (leftList.length === 0 && rightList.length === 0)) return this.#leaf(left, right);
    const items = new Map<string, NamedItems>();
    for (const [side, list] of [leftList, rightList].entries()) {
      for (const item of list) {
        const element = validItemElement(type, item);
        let named = items.get(element.id);
        if (named === undefined) items.set(element.id, (named = { element, left: [], right: [] }));
        (side === 0 ? named.left : named.right).push(item);
      }
    }
    for (const named of items.values()) this.#items(type, named);
    return false;
  }

  #items(type: ListType, { element, left, right }: NamedItems): void {
    if (left.length <= 1 && right.length <= 1) return this.#item(type, element, left[0], right[0]);
    // An item that is named twice is one leaf together with its doubles.
    const path = [...this.#path, element];
    if (left.length >= 2 && right.length >= 2) {
      if (!equalValues(left, right)) this.result.modified.insert(path);
    } else if (left.length >= 2) {
      if (right.length > 0) this.#item(type, element, undefined, right[0]);
      this.result.removed.insert(path);
    } else {
      if (left.length > 0) this.#item(type, element, left[0], undefined);
      this.result.added.insert(path);
    }
  }

  #item(type: ListType, element: PathElement, left: Json | undefined, right: Json | undefined): void {
    this.#path.push(element);
    this.visit(type.item, left, right);
    this.#path.pop();
  }
}

interface NamedItems {
  readonly element: PathElement;
  readonly left: Json[];
  readonly right: Json[];
}
