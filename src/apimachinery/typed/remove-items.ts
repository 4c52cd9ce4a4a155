import type { FieldSet } from '../fieldpath/field-set.ts';
import { fieldElement } from '../fieldpath/path-element.ts';
import { setOwn } from '../json.ts';
import type { Json } from '../object.ts';
import type { Atom, ListType, MapType } from './atom.ts';
import { asList, asObject, deduce, isEmptyObject, keysOf, resolve } from './deduce.ts';
import { validItemElement } from './list-item.ts';

/**
 * A valid value without the fields and items of a set. A container of which nothing is left, or a leaf below which something was to
 * be removed, becomes null. sigs.k8s.io/structured-merge-diff/v6/typed, remove.go.
 */
export function removeItems(atom: Atom, value: Json, items: FieldSet): Json {
  switch (resolve(atom, deduce(atom, value))) {
    case 'map':
      return removeFromMap(atom.map!, value, items);
    case 'list':
      return removeFromList(atom.list!, value, items);
    case 'scalar':
      return value;
    default:
      return null;
  }
}

function removeFromList(type: ListType, value: Json, items: FieldSet): Json {
  const list = asList(value);
  if (list === undefined || list.length === 0 || type.atomic) return null;
  const kept: Json[] = [];
  for (const item of list) {
    const element = validItemElement(type, item);
    if (items.hasMember(element)) continue;
    const below = items.child(element);
    kept.push(below === undefined || below.empty ? item : removeItems(type.item, item, below));
  }
  return kept.length === 0 ? null : kept;
}

function removeFromMap(type: MapType, value: Json, items: FieldSet): Json {
  const object = asObject(value);
  if (object === undefined || isEmptyObject(object) || type.atomic) return null;
  const kept = {};
  for (const key of keysOf(object)) {
    const field = type.field(key);
    const element = field?.element ?? fieldElement(key);
    if (items.hasMember(element)) continue;
    const below = items.child(element);
    const item = object[key]!;
    const atom = field?.atom ?? type.rest ?? {};
    setOwn(kept, key, below === undefined || below.empty ? item : removeItems(atom, item, below));
  }
  return isEmptyObject(kept) ? null : kept;
}
