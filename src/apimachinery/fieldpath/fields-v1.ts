import type { Json, JsonObject } from '../object.ts';
import { isJsonObject, setOwn } from '../json.ts';
import { compareText, sortedKeys } from '../text-order.ts';
import type { ChildSet } from './field-set.ts';
import { FieldSet } from './field-set.ts';
import type { KeyField, PathElement } from './path-element.ts';
import { compareElements, fieldElement, indexElement, keyElement, valueElement } from './path-element.ts';

/**
 * `fieldsV1` of managedFields: a tree whose keys are path elements, with `.` where a node with children is a member itself.
 * sigs.k8s.io/structured-merge-diff/v6/fieldpath, serialize.go and serialize-pe.go. Keys come out sorted by their bytes, which is
 * how custom objects are printed.
 */

/** Text that is no set. Messages are told to nobody: writers fall back to the stored managers. */
export class FieldsError extends Error {
  override readonly name = 'FieldsError';
}

export function encodeFields(set: FieldSet): JsonObject {
  return encode(set, false);
}

function encode(set: FieldSet, isMember: boolean): JsonObject {
  const out: Record<string, JsonObject> = {};
  if (isMember && (set.members.length > 0 || set.children.length > 0)) out['.'] = {};
  let later: [string, JsonObject][] | undefined;
  const put = (element: PathElement, fields: JsonObject): void => {
    if (element.kind === 'field') setOwn(out, element.id, fields);
    else (later ??= []).push([element.id, fields]);
  };
  const { members, children } = set;
  let [m, c] = [0, 0];
  while (m < members.length || c < children.length) {
    const member = members[m];
    const child = children[c];
    const order = member === undefined ? 1 : child === undefined ? -1 : compareElements(member, child.element);
    if (order < 0) put(member!, {});
    else put(child!.element, encode(child!.set, order === 0));
    if (order <= 0) m++;
    if (order >= 0) c++;
  }
  // Fields are in the order of their bytes already; the others are sorted by value and stand behind `f:`.
  if (later !== undefined) {
    later.sort(([a], [b]) => compareText(a, b));
    for (const [id, fields] of later) out[id] = fields;
  }
  return out;
}

/** @throws FieldsError */
export function decodeFields(fields: Json | undefined): FieldSet {
  if (fields === undefined || fields === null) return new FieldSet();
  return decode(fields).set ?? new FieldSet();
}

function decode(fields: Json | undefined): { readonly set: FieldSet | undefined; readonly isMember: boolean } {
  if (fields === null) return { set: undefined, isMember: true };
  if (!isJsonObject(fields)) throw new FieldsError('expected an object of fields');
  let isMember = false;
  let set: FieldSet | undefined;
  for (const key of sortedKeys(fields)) {
    if (key === '.') {
      isMember = true;
      continue;
    }
    const element = parseElement(key);
    if (element === undefined) continue;
    const below = decode(fields[key]);
    set ??= below.isMember || below.set !== undefined ? new FieldSet() : undefined;
    if (below.isMember) appendMember(set!, element);
    if (below.set !== undefined) appendChild(set!, { element, set: below.set });
  }
  return { set, isMember: isMember || set === undefined };
}

function appendMember(set: FieldSet, element: PathElement): void {
  const last = set.members.at(-1);
  if (last === undefined || compareElements(last, element) < 0) set.members.push(element);
  else set.insertMember(element);
}

function appendChild(set: FieldSet, child: ChildSet): void {
  const last = set.children.at(-1);
  if (last === undefined || compareElements(last.element, child.element) < 0) {
    set.children.push(child);
    return;
  }
  const known = set.descend(child.element);
  known.members.splice(0, known.members.length, ...child.set.members);
  known.children.splice(0, known.children.length, ...child.set.children);
}

/** An element out of its text; undefined for a kind that a later version may know. @throws FieldsError */
export function parseElement(text: string): PathElement | undefined {
  if (text.length < 2) throw new FieldsError('key must be 2 characters long:');
  if (text[1] !== ':') throw new FieldsError(`missing colon: ${text}`);
  const body = text.slice(2);
  switch (text[0]) {
    case 'f':
      return fieldElement(body);
    case 'v':
      return valueElement(parseJson(body), true);
    case 'k':
      return keyElement(keyFields(parseJson(body)), true);
    case 'i':
      if (!/^[+-]?\d+$/.test(body)) throw new FieldsError(`not an index: ${body}`);
      return indexElement(Number(body));
    default:
      return undefined;
  }
}

function keyFields(value: Json): readonly KeyField[] {
  if (value === null) return [];
  if (!isJsonObject(value)) throw new FieldsError('expected the fields of a key');
  return Object.keys(value).map((name) => ({ name, value: value[name]! }));
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new FieldsError(`not JSON: ${text}`, { cause: error });
  }
}
