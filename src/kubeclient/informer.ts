import type { KubeObject, ObjectMeta } from '../apimachinery/object.ts';
import { abandonOn } from '../base/deadline.ts';
import type { Resource, WatchEvent } from './client.ts';
import { runReflector, type ReflectorOptions } from './reflector.ts';
import { byNamespace, keyOf, objectKey, ObjectStore, type IndexFunction } from './store.ts';

/** What a cache holds. Objects are shared: never change one. */
export interface Lister<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>;
  /** Objects have apiVersion, kind and metadata alone. */
  readonly metadataOnly: boolean;
  get(namespace: string, name: string): T | undefined;
  /** Empty namespace: all. */
  list(namespace?: string): readonly T[];
  byIndex(index: string, value: string): readonly T[];
  hasSynced(): boolean;
}

/** Called after the cache changed. Must not throw: what it throws is logged and nothing more. */
export interface ChangeHandler<T extends KubeObject> {
  add?(object: T): void;
  update?(old: T, object: T): void;
  /** With the last state known. */
  delete?(object: T): void;
}

export interface Informer<T extends KubeObject = KubeObject> extends Lister<T> {
  /** Tells of every change, starting with an `add` for all that is there. Answers a function that stops it. */
  onChange(handler: ChangeHandler<T>): () => void;
  /** Resolves when the first list is in the cache and handlers were told. */
  waitForSync(signal: AbortSignal): Promise<void>;
  /** Runs until `signal` aborts; once only. */
  run(signal: AbortSignal): Promise<void>;
}

export interface InformerOptions<T extends KubeObject> extends ReflectorOptions<T> {
  /** Makes smaller what is kept; may change and answer the object that it is given. managedFields are dropped before. */
  readonly transform?: ((object: T) => T) | undefined;
  /** An index `namespace` is always there. */
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>> | undefined;
  /** Freezes what the cache answers, to find who changes it. Default: in tests (NODE_ENV). */
  readonly freeze?: boolean | undefined;
}

/** A cache of a resource, kept by list and watch. */
export function createInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  return new CachedInformer(options);
}

class CachedInformer<T extends KubeObject> implements Informer<T> {
  readonly resource: Resource<T>;
  readonly metadataOnly: boolean;
  readonly #options: InformerOptions<T>;
  readonly #freeze: boolean;
  readonly #store: ObjectStore<T>;
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  #running = false;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.resource = options.resource;
    this.metadataOnly = options.metadataOnly ?? false;
    this.#freeze = options.freeze ?? process.env['NODE_ENV'] === 'test';
    this.#store = new ObjectStore<T>({ namespace: byNamespace, ...options.indexes });
  }

  get(namespace: string, name: string): T | undefined {
    return this.#store.get(keyOf(this.resource.namespaced ? namespace : undefined, name));
  }

  list(namespace = ''): readonly T[] {
    return namespace === '' ? this.#store.values() : this.#store.byIndex('namespace', namespace);
  }

  byIndex(index: string, value: string): readonly T[] {
    return this.#store.byIndex(index, value);
  }

  hasSynced(): boolean {
    return this.#hasSynced;
  }

  waitForSync(signal: AbortSignal): Promise<void> {
    return abandonOn(this.#synced.promise, signal);
  }

  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#store.values()) this.#tell(handler, (to) => to.add?.(object));
    return () => void this.#handlers.delete(handler);
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#running) throw new Error(`the informer of ${this.resource.plural} runs already`);
    this.#running = true;
    const sink = {
      replace: (items: readonly T[]) => this.#replace(items),
      apply: (event: ObjectEvent<T>) => this.#apply(event),
    };
    await runReflector(this.#options, sink, signal);
  }

  #replace(items: readonly T[]): void {
    const gone = new Set(this.#store.keys());
    for (const item of items) {
      gone.delete(objectKey(item));
      this.#put(item);
    }
    for (const key of gone) this.#remove(key);
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  #apply(event: ObjectEvent<T>): void {
    if (event.type !== 'DELETED') {
      this.#put(event.object);
      return;
    }
    // What the event carries is the last state; handlers get that one.
    const key = objectKey(event.object);
    if (this.#store.get(key)) this.#store.set(key, this.#prepare(event.object));
    this.#remove(key);
  }

  #put(incoming: T): void {
    const key = objectKey(incoming);
    const known = this.#store.get(key);
    if (
      known &&
      known.metadata.uid === incoming.metadata.uid &&
      known.metadata.resourceVersion === incoming.metadata.resourceVersion
    ) {
      return;
    }
    const object = this.#prepare(incoming);
    this.#store.set(key, object);
    for (const handler of this.#handlers) {
      if (!known) {
        this.#tell(handler, (to) => to.add?.(object));
      } else if (known.metadata.uid === object.metadata.uid) {
        this.#tell(handler, (to) => to.update?.(known, object));
      } else {
        // Deleted and made again while we looked away.
        this.#tell(handler, (to) => to.delete?.(known));
        this.#tell(handler, (to) => to.add?.(object));
      }
    }
  }

  #remove(key: string): void {
    const old = this.#store.delete(key);
    if (!old) return;
    for (const handler of this.#handlers) this.#tell(handler, (to) => to.delete?.(old));
  }

  #prepare(incoming: T): T {
    // The object was parsed for us alone, so it is changed in place.
    delete (incoming.metadata as { managedFields?: ObjectMeta['managedFields'] }).managedFields;
    const object = this.#options.transform ? this.#options.transform(incoming) : incoming;
    return this.#freeze ? deepFreeze(object) : object;
  }

  #tell(handler: ChangeHandler<T>, call: (handler: ChangeHandler<T>) => void): void {
    try {
      call(handler);
    } catch (error) {
      this.#options.log.error('a change handler failed', { resource: this.resource.plural, error });
    }
  }
}

type ObjectEvent<T extends KubeObject> = Exclude<WatchEvent<T>, { readonly type: 'BOOKMARK' }>;

function deepFreeze<V>(value: V): V {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
  return value;
}
