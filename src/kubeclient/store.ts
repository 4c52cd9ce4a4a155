import type { KubeObject } from '../apimachinery/object.ts';

/** Answers under which values an object is found. */
export type IndexFunction<T extends KubeObject> = (object: T) => readonly string[];

/** `namespace/name`, or the name alone for cluster-scoped objects. */
export function objectKey(object: KubeObject): string {
  return keyOf(object.metadata.namespace, object.metadata.name ?? '');
}

export function keyOf(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** The two parts of a key; the namespace is empty for cluster-scoped objects. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: slash === -1 ? '' : key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Index by the uids of all owners. */
export function byOwnerUid(object: KubeObject): readonly string[] {
  return object.metadata.ownerReferences?.map((owner) => owner.uid) ?? [];
}

/** Index by the value of a label. */
export function byLabel(label: string): IndexFunction<KubeObject> {
  return (object) => {
    const value = object.metadata.labels?.[label];
    return value === undefined ? [] : [value];
  };
}

/** Index by namespace. */
export function byNamespace(object: KubeObject): readonly string[] {
  return [object.metadata.namespace ?? ''];
}

/** Objects by key and by indexes. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, { readonly of: IndexFunction<T>; readonly keys: Map<string, Set<string>> }>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    for (const [name, of] of Object.entries(indexes)) this.#indexes.set(name, { of, keys: new Map() });
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  values(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** @throws RangeError for an index that was not declared. */
  byIndex(index: string, value: string): readonly T[] {
    const found = this.#indexes.get(index);
    if (!found) throw new RangeError(`no index named ${index}`);
    const keys = found.keys.get(value);
    return keys ? Array.from(keys, (key) => this.#objects.get(key)!) : [];
  }

  /** Answers what was there before. */
  set(key: string, object: T): T | undefined {
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const { of, keys } of this.#indexes.values()) {
      if (old) dropFrom(keys, of(old), key);
      for (const value of of(object)) {
        const found = keys.get(value);
        if (found) found.add(key);
        else keys.set(value, new Set([key]));
      }
    }
    return old;
  }

  delete(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (!old) return undefined;
    this.#objects.delete(key);
    for (const { of, keys } of this.#indexes.values()) dropFrom(keys, of(old), key);
    return old;
  }
}

function dropFrom(keys: Map<string, Set<string>>, values: readonly string[], key: string): void {
  for (const value of values) {
    const found = keys.get(value);
    found?.delete(key);
    if (found?.size === 0) keys.delete(value);
  }
}
