import { deepEqual, getOwn } from '../../apimachinery/json.ts';
import { foregroundFinalizer, orphanFinalizer } from '../../apimachinery/meta-validation.ts';
import type { KubeObject, ObjectMeta } from '../../apimachinery/object.ts';
import type { DeleteOptions } from '../options.ts';
import { withMetadata } from './codec.ts';
import type { Resource } from './resource.ts';

/**
 * What the system itself does to an object on its way into the storage; pure.
 * k8s.io/apiserver/pkg/registry/rest (BeforeCreate, BeforeUpdate), registry/generic/registry/store.go,
 * k8s.io/apiextensions-apiserver/pkg/registry/customresource (strategy.go, status_strategy.go).
 */

/** Which part of an object an update may change. */
export type UpdateScope = 'main' | 'status';

export interface Birth {
  readonly uid: string;
  /** RFC 3339. */
  readonly creationTimestamp: string;
  readonly name: string;
}

/** A new object gets its identity, loses its status and starts at generation 1. */
export function prepareCreate(resource: Resource, input: KubeObject, birth: Birth): KubeObject {
  const { resourceVersion: _dropped, ...metadata } = input.metadata;
  const object = resource.hasStatus ? withoutStatus(input) : input;
  return withMetadata(object, { ...metadata, ...birth, generation: 1 });
}

function withoutStatus(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object as KubeObject & { readonly status?: unknown };
  return rest;
}

/** The new state as it may become: system fields from `old`, the other half of the object untouched, generation counted. */
export function prepareUpdate(resource: Resource, scope: UpdateScope, next: KubeObject, old: KubeObject): KubeObject {
  if (scope === 'status') return withManagedFieldsOf(withStatusOf(old, next), next);
  const object = resource.hasStatus ? withStatusOf(next, old) : next;
  const changed = !deepEqual(withoutMetadata(object), withoutMetadata(old));
  return withMetadata(object, {
    ...carriedMeta(next.metadata, old.metadata),
    ...(old.metadata.generation === undefined ? {} : { generation: old.metadata.generation + (changed ? 1 : 0) }),
  });
}

function withStatusOf(object: KubeObject, source: KubeObject): KubeObject {
  const status = getOwn(source, 'status');
  const rest = withoutStatus(object);
  return status === undefined ? rest : ({ ...rest, status } as KubeObject);
}

/** A write to `status` has changed who owns its fields, if nothing else outside of it. */
function withManagedFieldsOf(object: KubeObject, source: KubeObject): KubeObject {
  const { managedFields: _dropped, ...metadata } = object.metadata;
  const { managedFields } = source.metadata;
  return withMetadata(object, managedFields === undefined ? metadata : { ...metadata, managedFields });
}

export function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _dropped, ...metadata } = object.metadata;
  return withMetadata(object, metadata);
}

/**
 * Takes back the times of field ownership where they are all that a write would change: a write that says again what is there
 * is none. k8s.io/apiserver/pkg/endpoints/handlers/fieldmanager/equality.go, IgnoreManagedFieldsTimestampsTransformer.
 */
export function withoutIdleTimestamps(next: KubeObject, old: KubeObject): KubeObject {
  const mine = next.metadata.managedFields ?? [];
  const before = old.metadata.managedFields ?? [];
  if (mine.length === 0 || mine.length !== before.length) return next;
  if (mine.every((entry, index) => entry.time === before[index]?.time)) return next;
  const isSame = mine.every((entry, index) =>
    deepEqual({ ...entry, time: undefined }, { ...before[index], time: undefined }),
  );
  if (!isSame || !deepEqual(withoutManagedFields(next), withoutManagedFields(old))) return next;
  return withMetadata(next, { ...next.metadata, managedFields: before });
}

function withoutMetadata(object: KubeObject): object {
  const { metadata: _metadata, ...rest } = object;
  return rest;
}

function carriedMeta(next: ObjectMeta, old: ObjectMeta): ObjectMeta {
  const { generation: _generation, ...rest } = next;
  return {
    ...rest,
    ...(next.uid === undefined && old.uid !== undefined ? { uid: old.uid } : {}),
    ...(old.creationTimestamp === undefined ? {} : { creationTimestamp: old.creationTimestamp }),
    ...(old.deletionTimestamp === undefined ? {} : { deletionTimestamp: old.deletionTimestamp }),
    ...(old.deletionGracePeriodSeconds === undefined || next.deletionGracePeriodSeconds !== undefined
      ? {}
      : { deletionGracePeriodSeconds: old.deletionGracePeriodSeconds }),
  };
}

/** True when an update took the last finalizer off an object that is being deleted. */
export function isFinalized(next: KubeObject, old: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
  return (
    (next.metadata.finalizers ?? []).length === 0 && deletionTimestamp !== undefined && !deletionGracePeriodSeconds
  );
}

/** The finalizers an object has once a delete with these options has been asked for (deletionFinalizersForGarbageCollection). */
export function finalizersForDeletion(metadata: ObjectMeta, options: DeleteOptions): readonly string[] {
  const finalizers = metadata.finalizers ?? [];
  const orphan = asks(finalizers, options, 'Orphan');
  const foreground = asks(finalizers, options, 'Foreground');
  const next = finalizers.filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer);
  if (orphan) next.push(orphanFinalizer);
  if (foreground) next.push(foregroundFinalizer);
  const same = next.length === finalizers.length && next.every((finalizer) => finalizers.includes(finalizer));
  return same ? finalizers : next;
}

function asks(finalizers: readonly string[], options: DeleteOptions, policy: 'Orphan' | 'Foreground'): boolean {
  if (options.orphanDependents !== undefined) return policy === 'Orphan' && options.orphanDependents;
  if (options.propagationPolicy !== undefined) return options.propagationPolicy === policy;
  const first = finalizers.find((finalizer) => finalizer === orphanFinalizer || finalizer === foregroundFinalizer);
  return first === (policy === 'Orphan' ? orphanFinalizer : foregroundFinalizer);
}

/** The object as it waits for its finalizers. `now`: RFC 3339. */
export function markDeleting(object: KubeObject, finalizers: readonly string[], now: string): KubeObject {
  const { metadata } = object;
  const first = metadata.deletionTimestamp === undefined;
  return withMetadata(object, {
    ...metadata,
    finalizers,
    deletionTimestamp: metadata.deletionTimestamp ?? now,
    deletionGracePeriodSeconds: 0,
    ...(first && metadata.generation !== undefined ? { generation: metadata.generation + 1 } : {}),
  });
}
