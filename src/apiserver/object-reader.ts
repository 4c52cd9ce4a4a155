import type { KubeObject } from '../apimachinery/object.ts';
import { newInternalError } from '../apimachinery/status.ts';
import type { ObjectReader } from './admission/admission.ts';
import { decodeObject } from './registry/codec.ts';
import { collectionPrefix } from './registry/keys.ts';
import type { ResourceStore } from './registry/store.ts';
import type { Storage } from './storage/storage.ts';

/** Reads our own objects straight from the storage, for admission. */
export function newObjectReader(stores: ReadonlyMap<string, ResourceStore>, storage: Storage): ObjectReader {
  const storeOf = (plural: string): ResourceStore => {
    const store = stores.get(plural);
    if (store === undefined) throw newInternalError(`no resource ${plural} is served`);
    return store;
  };
  return {
    async get<T extends KubeObject>(plural: string, namespace: string, name: string) {
      return (await storeOf(plural).find(namespace, name))?.object as T | undefined;
    },
    async list<T extends KubeObject>(plural: string) {
      const { items } = await storage.list(collectionPrefix(storeOf(plural).resource, ''), {});
      return items.map((item) => decodeObject(item.value, item.revision) as T);
    },
  };
}
