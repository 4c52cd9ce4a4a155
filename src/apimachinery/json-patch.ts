import { deepCopy, deepEqual, isJsonObject, nestsDeeper, setOwn } from './json.ts';
import { maxJsonDepth } from './json-text.ts';
import type { MutableJsonObject } from './json.ts';
import type { Json, JsonObject } from './object.ts';

/**
 * RFC 6902 with the edges of gopkg.in/evanphx/json-patch.v4 (patch.go): negative indices count from the end, and a `test` for
 * null also passes where there is nothing. Own properties only, so `__proto__` is a key like any other.
 */
export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: string;
  readonly from?: string;
  readonly value?: Json;
}

/** Not a JSON patch at all. */
export class MalformedPatchError extends Error {
  override readonly name = 'MalformedPatchError';
}

/** A patch that does not fit the document: a path that leads nowhere, a failed test, too much copying. */
export class PatchFailedError extends Error {
  override readonly name = 'PatchFailedError';
}

/** Characters that `copy` operations may add in total; evanphx' AccumulatedCopySizeLimit as kube-apiserver sets it. */
const copyLimit = 3 * 1024 * 1024;

const knownKeys: ReadonlySet<string> = new Set(['op', 'path', 'from', 'value']);
const operations: ReadonlySet<string> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

export interface ParsedJsonPatch {
  readonly operations: readonly JsonPatchOperation[];
  /** Such as `json patch unknown field "[0].foo"`. */
  readonly unknownFields: readonly string[];
}

/** @throws MalformedPatchError */
export function parseJsonPatch(value: Json): ParsedJsonPatch {
  if (value === null) return { operations: [], unknownFields: [] };
  if (!Array.isArray(value)) {
    throw new MalformedPatchError(
      `json: cannot unmarshal ${goKind(value)} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  const unknownFields: string[] = [];
  const parsed = (value as readonly Json[]).map((item, index) => {
    if (!isJsonObject(item)) {
      throw new MalformedPatchError(
        `json: cannot unmarshal ${goKind(item)} into Go value of type handlers.jsonPatchOp`,
      );
    }
    for (const key of Object.keys(item)) {
      if (!knownKeys.has(key)) unknownFields.push(`json patch unknown field "[${index}].${key}"`);
    }
    return toOperation(item);
  });
  return { operations: parsed, unknownFields };
}

function toOperation(item: JsonObject): JsonPatchOperation {
  const { op, path, from } = item;
  for (const [key, member] of [
    ['op', op],
    ['path', path],
    ['from', from],
  ] as const) {
    if (member !== undefined && typeof member !== 'string')
      throw new MalformedPatchError(
        `json: cannot unmarshal ${goKind(member)} into Go struct field jsonPatchOp.${key} of type string`,
      );
  }
  return { ...(item as object), op: op as JsonPatchOperation['op'], path: (path as string | undefined) ?? '' };
}

/** Go's word for the type of a JSON value. */
function goKind(value: Json | undefined): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** Applies all operations or none; never changes its arguments. @throws PatchFailedError */
export function applyJsonPatch(document: Json, patch: readonly JsonPatchOperation[]): Json {
  const editor = new Editor(deepCopy(document));
  for (const operation of patch) editor.apply(operation);
  return editor.root;
}

/** Elements that operations may shift or compare in total: many small operations on one huge list would else hang the server. */
const workLimit = 10_000_000;

class Editor {
  root: Json;
  #copied = 0;
  #work = 0;

  constructor(root: Json) {
    this.root = root;
  }

  apply(operation: JsonPatchOperation): void {
    if (!operations.has(operation.op)) throw new PatchFailedError(`Unexpected kind: ${operation.op}`);
    const path = parsePointer(operation.path);
    switch (operation.op) {
      case 'add':
        return this.#add(path, deepCopy(operation.value ?? null));
      case 'replace':
        return this.#replace(path, deepCopy(operation.value ?? null));
      case 'remove':
        this.#remove(path);
        return;
      case 'test': {
        const found = this.#find(path) ?? null;
        if (typeof found === 'object' && found !== null) this.#spend(Object.keys(found).length);
        if (!deepEqual(found, operation.value ?? null)) throw new PatchFailedError('testing value failed');
        return;
      }
      case 'move': {
        const from = parsePointer(operation.from ?? '');
        if (from.length < path.length && from.every((key, index) => key === path[index])) {
          throw new PatchFailedError('a value cannot move into itself');
        }
        const value = this.#remove(from);
        this.#refuseDeeper(value, operation.path);
        return this.#add(path, value);
      }
      case 'copy': {
        const source = this.#find(parsePointer(operation.from ?? ''));
        // What is not there is copied as null.
        const copied = source ?? null;
        this.#refuseDeeper(copied, operation.path);
        this.#copied += JSON.stringify(copied).length;
        if (this.#copied > copyLimit) throw new PatchFailedError('too much copied');
        return this.#add(path, deepCopy(copied));
      }
    }
  }

  /** What is stored must be readable again: nothing may nest deeper than what a body may. */
  #refuseDeeper(value: Json, pointer: string): void {
    if (nestsDeeper(value, maxJsonDepth - pointer.split('/').length)) throw new PatchFailedError('exceeded max depth');
  }

  #spend(elements: number): void {
    this.#work += elements;
    if (this.#work > workLimit) throw new PatchFailedError('too much work');
  }

  #find(path: readonly string[]): Json | undefined {
    let current: Json | undefined = this.root;
    for (const [depth, key] of path.entries()) {
      if (!Array.isArray(current) && !isJsonObject(current)) throw new PatchFailedError('path leads nowhere');
      current = child(current, key);
      if (current === undefined && depth < path.length - 1) throw new PatchFailedError('path leads nowhere');
    }
    return current;
  }

  #parent(path: readonly string[]): Json[] | MutableJsonObject {
    const parent = this.#find(path.slice(0, -1));
    if (Array.isArray(parent)) return parent as Json[];
    if (isJsonObject(parent)) return parent;
    throw new PatchFailedError('path leads nowhere');
  }

  #add(path: readonly string[], value: Json): void {
    const key = path.at(-1);
    if (key === undefined) throw new PatchFailedError('nothing can be added to the root');
    const parent = this.#parent(path);
    if (!Array.isArray(parent)) {
      setOwn(parent, key, value);
      return;
    }
    const index = key === '-' ? parent.length : indexOf(key, parent.length + 1);
    if (index > parent.length) throw new PatchFailedError('index out of range');
    this.#spend((parent.length - index) >> 3);
    parent.splice(index, 0, value);
  }

  #replace(path: readonly string[], value: Json): void {
    const key = path.at(-1);
    if (key === undefined) {
      this.root = value;
      return;
    }
    const parent = this.#parent(path);
    // A key that is missing is made; an index must be there.
    if (!Array.isArray(parent)) {
      setOwn(parent, key, value);
      return;
    }
    const index = indexOf(key, parent.length);
    if (index >= parent.length) throw new PatchFailedError('index out of range');
    parent[index] = value;
  }

  #remove(path: readonly string[]): Json {
    const key = path.at(-1);
    if (key === undefined) throw new PatchFailedError('the root cannot be removed');
    const parent = this.#parent(path);
    if (Array.isArray(parent)) {
      const index = indexOf(key, parent.length);
      if (index >= parent.length) throw new PatchFailedError('index out of range');
      this.#spend((parent.length - index) >> 3);
      return parent.splice(index, 1)[0]!;
    }
    const value = child(parent, key);
    if (value === undefined) throw new PatchFailedError('missing value');
    delete parent[key];
    return value;
  }
}

function child(container: readonly Json[] | JsonObject, key: string): Json | undefined {
  if (Array.isArray(container)) {
    const list = container as readonly Json[];
    const index = indexOf(key, list.length);
    if (index >= list.length) throw new PatchFailedError('index out of range');
    return list[index];
  }
  return Object.hasOwn(container, key) ? (container as JsonObject)[key] : undefined;
}

/** `length` is what a negative index counts from. */
function indexOf(key: string, length: number): number {
  if (!/^[+-]?\d{1,9}$/.test(key)) throw new PatchFailedError(`${JSON.stringify(key)} is no index`);
  const index = Number(key);
  const positive = index < 0 ? index + length : index;
  if (positive < 0) throw new PatchFailedError('index out of range');
  return positive;
}

/** Whatever stands before the first slash is passed over (findObject). */
function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return [];
  if (!pointer.includes('/')) throw new PatchFailedError(`${JSON.stringify(pointer)} is no JSON pointer`);
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
