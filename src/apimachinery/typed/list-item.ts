import { goQuote } from '../go-format.ts';
import { getOwn, isJsonObject } from '../json.ts';
import type { Json } from '../object.ts';
import type { KeyField, PathElement } from '../fieldpath/path-element.ts';
import { keyElement, valueElement } from '../fieldpath/path-element.ts';
import type { ListType } from './atom.ts';

/**
 * What names an item of an associative list, or a text that says why nothing does.
 * sigs.k8s.io/structured-merge-diff/v6/typed, helpers.go, listItemToPathElement.
 */
export function itemElement(list: ListType, item: Json): PathElement | string {
  return list.keys.length > 0 ? keyedItem(list, item) : setItem(item);
}

/** For lists that are known to be valid. */
export function validItemElement(list: ListType, item: Json): PathElement {
  const element = itemElement(list, item);
  if (typeof element === 'string') throw new Error(`a list that was validated has an item without a name: ${element}`);
  return element;
}

function keyedItem(list: ListType, item: Json): PathElement | string {
  if (item === null) return 'associative list with keys may not have a null element';
  if (!isJsonObject(item)) return 'associative list with keys may not have non-map elements';
  const fields: KeyField[] = [];
  for (const name of list.keys) {
    let value = getOwn(item, name);
    if (value === undefined) {
      const { map } = list.item;
      if (map === undefined) {
        return `couldn't find default value for ${name}: associative list may not have non-map types`;
      }
      value = map.field(name)?.default;
    }
    if (value !== undefined) fields.push({ name, value });
  }
  if (fields.length > 0) return keyElement(fields);
  const names = list.keys.map(goQuote).join(' ');
  return `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`;
}

function setItem(item: Json): PathElement | string {
  if (item === null) return "associative list without keys has an element that's an explicit null";
  if (Array.isArray(item)) return 'not supported: associative list with lists as elements';
  if (typeof item === 'object') return "associative list without keys has an element that's a map type";
  return valueElement(item);
}
