import type { Json } from '../object.ts';
import { jsoniterJson } from '../go-value.ts';
import { compareText } from '../text-order.ts';
import { compareValues, formatValue } from './value-order.ts';

/**
 * One step from a value to a part of it. sigs.k8s.io/structured-merge-diff/v6/fieldpath, element.go and serialize-pe.go.
 * Elements are equal exactly when their `id`s are.
 */
export type PathElement = FieldElement | KeyElement | ValueElement | IndexElement;

/** A field of an object. */
export interface FieldElement {
  readonly kind: 'field';
  /** As it stands in fieldsV1: `f:spec`, `k:{"name":"x"}`, `v:"a"`, `i:0`. */
  readonly id: string;
  readonly name: string;
}

/** The item of an associative list that has these fields, sorted by name. */
export interface KeyElement {
  readonly kind: 'key';
  readonly id: string;
  readonly fields: readonly KeyField[];
  readonly decoded: boolean;
}

export interface KeyField {
  readonly name: string;
  readonly value: Json;
}

/** An item of a set. */
export interface ValueElement {
  readonly kind: 'value';
  readonly id: string;
  readonly value: Json;
  /** Read from fieldsV1, where Go sees every number as a float and prints it so in messages. */
  readonly decoded: boolean;
}

/** An item by its place; nothing we make has it, but stored sets may. */
export interface IndexElement {
  readonly kind: 'index';
  readonly id: string;
  readonly index: number;
}

export type Path = readonly PathElement[];

export function fieldElement(name: string): FieldElement {
  return { kind: 'field', id: `f:${name}`, name };
}

/** `fields` in any order. */
export function keyElement(fields: readonly KeyField[], decoded = false): KeyElement {
  const sorted = fields.length > 1 ? [...fields].sort((a, b) => compareText(a.name, b.name)) : fields;
  const body = sorted.map((field) => `${JSON.stringify(field.name)}:${jsoniterJson(field.value)}`).join(',');
  return { kind: 'key', id: `k:{${body}}`, fields: sorted, decoded };
}

export function valueElement(value: Json, decoded = false): ValueElement {
  return { kind: 'value', id: `v:${jsoniterJson(value)}`, value, decoded };
}

export function indexElement(index: number): IndexElement {
  return { kind: 'index', id: `i:${index}`, index };
}

export function fieldPath(names: readonly string[]): Path {
  return names.map(fieldElement);
}

const ranks = { field: 0, key: 1, value: 2, index: 3 } as const;

/** Fields before keys before values before indexes. */
export function compareElements(a: PathElement, b: PathElement): number {
  if (a === b) return 0;
  if (a.kind === 'field' && b.kind === 'field') return compareText(a.name, b.name);
  if (a.id === b.id) return 0;
  const difference = ranks[a.kind] - ranks[b.kind];
  if (difference !== 0) return difference;
  if (a.kind === 'key') return compareKeys(a.fields, (b as KeyElement).fields);
  if (a.kind === 'value') return compareValues(a.value, (b as ValueElement).value);
  return (a as IndexElement).index - (b as IndexElement).index;
}

function compareKeys(a: readonly KeyField[], b: readonly KeyField[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [left, right] = [a[at]!, b[at]!];
    const difference = compareText(left.name, right.name) || compareValues(left.value, right.value);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** As in messages: `.spec`, `[name="x"]`, `[="a"]`, `[0]`. */
export function formatElement(element: PathElement): string {
  switch (element.kind) {
    case 'field':
      return `.${element.name}`;
    case 'key':
      return `[${element.fields.map((field) => `${field.name}=${formatValue(field.value, element.decoded)}`).join(',')}]`;
    case 'value':
      return `[=${formatValue(element.value, element.decoded)}]`;
    default:
      return `[${element.index}]`;
  }
}

export function formatPath(path: Path): string {
  return path.map(formatElement).join('');
}
