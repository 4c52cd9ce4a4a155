import type { KubeObject } from '../../src/apimachinery/object.ts';
import type { Resource } from '../../src/kubeclient/client.ts';
import type { ChangeHandler, Informer } from '../../src/kubeclient/informer.ts';
import { objectKey } from '../../src/kubeclient/store.ts';

/** A cache that shows nothing new until a test says `catchUp`: the worst watch that there can be. */
export class StillCache<T extends KubeObject = KubeObject> implements Informer<T> {
  readonly resource: Resource<T>;
  readonly metadataOnly = false;
  readonly #read: () => Promise<readonly T[]>;
  readonly #handlers = new Set<ChangeHandler<T>>();
  #objects = new Map<string, T>();

  constructor(resource: Resource<T>, read: () => Promise<readonly T[]>) {
    this.resource = resource;
    this.#read = read;
  }

  async catchUp(): Promise<void> {
    const before = this.#objects;
    const items = await this.#read();
    this.#objects = new Map(items.map((item) => [objectKey(item), item]));
    for (const [key, object] of this.#objects) {
      const old = before.get(key);
      for (const handler of this.#handlers) {
        if (old === undefined) handler.add?.(object);
        else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) handler.update?.(old, object);
      }
    }
    for (const [key, old] of before) {
      if (!this.#objects.has(key)) for (const handler of this.#handlers) handler.delete?.(old);
    }
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(namespace === '' ? name : `${namespace}/${name}`);
  }

  list(namespace = ''): readonly T[] {
    return [...this.#objects.values()].filter(({ metadata }) => namespace === '' || metadata.namespace === namespace);
  }

  /** The only index that controllers ask for is the one by owner. */
  byIndex(_index: string, uid: string): readonly T[] {
    return this.list().filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid) === true);
  }

  hasSynced(): boolean {
    return true;
  }

  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#objects.values()) handler.add?.(object);
    return () => void this.#handlers.delete(handler);
  }

  waitForSync(): Promise<void> {
    return Promise.resolve();
  }

  run(): Promise<void> {
    return Promise.resolve();
  }
}
