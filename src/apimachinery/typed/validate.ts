import { formatGoSyntax, formatGoValue, goTypeName } from '../go-value.ts';
import type { PathElement } from '../fieldpath/path-element.ts';
import { fieldElement, formatElement, formatPath, indexElement } from '../fieldpath/path-element.ts';
import type { Json } from '../object.ts';
import type { Atom, ListType, MapType, Scalar } from './atom.ts';
import { asList, asObject, deduce, keysOf, resolve } from './deduce.ts';
import { itemElement } from './list-item.ts';
import { TypedError } from './typed-error.ts';

/**
 * Refuses a value that does not fit its type. `allowDuplicates`: for what is stored or was sent whole, where lists may name an item
 * twice; not for what is applied. @throws TypedError
 * sigs.k8s.io/structured-merge-diff/v6/typed, validate.go.
 */
export function validate(atom: Atom, value: Json, allowDuplicates: boolean): void {
  const walk = new Validation(allowDuplicates);
  walk.visit(atom, value);
  if (walk.findings.length > 0) throw new TypedError(walk.findings);
}

class Validation {
  readonly findings: string[] = [];
  readonly #path: PathElement[] = [];
  readonly #allowDuplicates: boolean;

  constructor(allowDuplicates: boolean) {
    this.#allowDuplicates = allowDuplicates;
  }

  visit(atom: Atom, value: Json): void {
    switch (resolve(atom, deduce(atom, value))) {
      case 'map':
        return this.#map(atom.map!, value);
      case 'list':
        return this.#list(atom.list!, value);
      case 'scalar':
        return this.#scalar(atom.scalar!, value);
      case undefined:
        this.#find('schema error: invalid atom: inlined');
    }
  }

  #find(message: string): void {
    const path = formatPath(this.#path);
    this.findings.push(path === '' ? message : `${path}: ${message}`);
  }

  #scalar(scalar: Scalar, value: Json): void {
    if (value === null) return;
    if (scalar === 'numeric') {
      if (typeof value !== 'number') this.#find(`expected numeric (int or float), got ${goTypeName(value)}`);
    } else if (scalar === 'string') {
      if (typeof value !== 'string') {
        this.#find(`expected string, got &value.valueUnstructured{Value:${formatGoSyntax(value)}}`);
      }
    } else if (scalar === 'boolean') {
      if (typeof value !== 'boolean') this.#find(`expected boolean, got &{${formatGoValue(value)}}`);
    } else if (typeof value === 'object') {
      this.#find(`expected any scalar, got &{${formatGoValue(value)}}`);
    }
  }

  #list(type: ListType, value: Json): void {
    if (value === null) return;
    const list = asList(value);
    if (list === undefined) return this.#find(`expected list, got &{${formatGoValue(value)}}`);
    if (type.trusted) return;
    const seen = type.atomic ? undefined : new Set<string>();
    for (let at = 0; at < list.length; at++) {
      const item = list[at]!;
      const element = seen === undefined ? indexElement(at) : itemElement(type, item);
      if (typeof element === 'string') return this.#find(`element ${at}: ${element}`);
      if (seen !== undefined) {
        if (seen.has(element.id) && !this.#allowDuplicates) {
          this.#find(`duplicate entries for key ${formatElement(element)}`);
        }
        seen.add(element.id);
      }
      this.#path.push(element);
      this.visit(type.item, item);
      this.#path.pop();
    }
  }

  #map(type: MapType, value: Json): void {
    if (value === null) return;
    const object = asObject(value);
    if (object === undefined) return this.#find(`expected map, got &{${formatGoValue(value)}}`);
    for (const key of keysOf(object)) {
      const field = type.field(key);
      const atom = field?.atom ?? type.rest;
      this.#path.push(field?.element ?? fieldElement(key));
      if (atom === undefined) {
        this.#find('field not declared in schema');
        this.#path.pop();
        return;
      }
      this.visit(atom, object[key]!);
      this.#path.pop();
    }
  }
}
