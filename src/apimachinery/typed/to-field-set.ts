import type { PathElement } from '../fieldpath/path-element.ts';
import { fieldElement } from '../fieldpath/path-element.ts';
import { FieldSet } from '../fieldpath/field-set.ts';
import type { Json } from '../object.ts';
import type { Atom, ListType, MapType } from './atom.ts';
import { asList, asObject, deduce, isEmptyObject, keysOf, resolve } from './deduce.ts';
import { validItemElement } from './list-item.ts';

/**
 * Every leaf and every item that a valid value mentions.
 * sigs.k8s.io/structured-merge-diff/v6/typed, tofieldset.go.
 */
export function toFieldSet(atom: Atom, value: Json): FieldSet {
  return visit(atom, value).below ?? new FieldSet();
}

interface Found {
  /** Whether the value itself belongs to the set. */
  readonly isMember: boolean;
  readonly below: FieldSet | undefined;
}

const leaf: Found = { isMember: true, below: undefined };
const nothing: Found = { isMember: false, below: undefined };

function visit(atom: Atom, value: Json): Found {
  switch (resolve(atom, deduce(atom, value))) {
    case 'map':
      return visitMap(atom.map!, value);
    case 'list':
      return visitList(atom.list!, value);
    default:
      return leaf;
  }
}

function visitList(type: ListType, value: Json): Found {
  if (type.atomic) return leaf;
  const list = asList(value);
  if (list === undefined) return nothing;
  const below = new FieldSet();
  const elements = list.map((item) => validItemElement(type, item));
  const counts = new Map<string, number>();
  for (const { id } of elements) counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const [at, element] of elements.entries()) {
    // Items that are named twice are owned together, without what is in them.
    if (counts.get(element.id) === 1) add(below, element, visit(type.item, list[at]!));
    below.insertMember(element);
  }
  return { isMember: false, below };
}

function visitMap(type: MapType, value: Json): Found {
  if (type.atomic) return leaf;
  const object = asObject(value);
  if (object === undefined) return nothing;
  const below = new FieldSet();
  for (const key of keysOf(object)) {
    const item = object[key]!;
    const field = type.field(key);
    const element = field?.element ?? fieldElement(key);
    add(below, element, visit(field?.atom ?? type.rest ?? {}, item));
    const contents = asObject(item);
    if (field === undefined || item === null || (contents !== undefined && isEmptyObject(contents))) {
      below.insertMember(element);
    }
  }
  return { isMember: false, below };
}

function add(set: FieldSet, element: PathElement, { isMember, below }: Found): void {
  if (isMember) set.insertMember(element);
  if (below !== undefined && (below.members.length > 0 || below.children.length > 0)) set.attach(element, below);
}
