import type { Resource } from './resource.ts';

/** Keys of objects in the storage: `/<group>/<plural>/<namespace>/<name>`, or without namespace for cluster-scoped kinds. */

/** Prefix of all objects in `namespace`, or of all at all when it is empty. */
export function collectionPrefix(resource: Resource, namespace: string): string {
  return resource.definition.namespaced && namespace !== '' ? `${resource.keyPrefix}${namespace}/` : resource.keyPrefix;
}

export function objectKey(resource: Resource, namespace: string, name: string): string {
  return collectionPrefix(resource, namespace) + name;
}

export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

export function nameOfKey(resource: Resource, key: string): ObjectName {
  const rest = key.slice(resource.keyPrefix.length);
  if (!resource.definition.namespaced) return { namespace: '', name: rest };
  const slash = rest.indexOf('/');
  return { namespace: rest.slice(0, slash), name: rest.slice(slash + 1) };
}

/** True for names that cannot be part of a key; nothing of that name can exist. */
export function isImpossibleName(name: string): boolean {
  return name === '.' || name === '..' || name.includes('/') || name.includes('%') || name.includes('\u0000');
}
