import { FieldSet } from '../fieldpath/field-set.ts';
import type { Path } from '../fieldpath/path-element.ts';
import { fieldPath } from '../fieldpath/path-element.ts';
import type { MutableManagers } from '../merge/versioned-set.ts';
import type { ManagedFieldsEntry } from '../object.ts';
import type { ReplicasPaths } from './field-manager.ts';
import { decodeManaged, encodeManaged } from './managed.ts';

/**
 * Ownership of `spec.replicas` of a Scale is ownership of the field in the parent that it stands for: entries are translated before
 * and after the Scale's own field manager.
 * k8s.io/apimachinery/pkg/util/managedfields, scalehandler.go.
 */

const scaleApiVersion = 'autoscaling/v1';
const replicasInScale = fieldPath(['spec', 'replicas']);

/** The parent's managers of the replicas, as managers of the Scale. @throws ManagedFieldsError and FieldsError */
export function toScaleFields(
  parentEntries: readonly ManagedFieldsEntry[],
  replicasPaths: ReplicasPaths,
): readonly ManagedFieldsEntry[] {
  const parent = decodeManaged(parentEntries);
  const fields: MutableManagers = new Map();
  for (const [manager, { apiVersion, set, applied }] of parent.fields) {
    const path = pathIn(replicasPaths, apiVersion);
    if (path === undefined || !set.has(path)) continue;
    fields.set(manager, { set: FieldSet.of(replicasInScale), apiVersion: scaleApiVersion, applied });
  }
  return encodeManaged({ fields, times: parent.times }) ?? [];
}

/**
 * The parent's managers after a write of the Scale whose managers are `scaleEntries`: who is no longer among them has lost the
 * replicas. `apiVersion`: the parent's. @throws ManagedFieldsError and FieldsError
 */
export function toParentFields(
  parentEntries: readonly ManagedFieldsEntry[],
  scaleEntries: readonly ManagedFieldsEntry[],
  apiVersion: string,
  replicasPaths: ReplicasPaths,
): readonly ManagedFieldsEntry[] {
  const parent = decodeManaged(parentEntries);
  const scale = new Map(decodeManaged(scaleEntries).fields);
  const fields: MutableManagers = new Map();
  for (const [manager, versioned] of parent.fields) {
    if (!Object.hasOwn(replicasPaths, versioned.apiVersion)) continue;
    const path = pathIn(replicasPaths, versioned.apiVersion);
    if (path === undefined || !versioned.set.has(path)) fields.set(manager, versioned);
    else if (scale.delete(manager)) fields.set(manager, versioned);
    else {
      const set = versioned.set.difference(FieldSet.of(path));
      if (!set.empty) fields.set(manager, { ...versioned, set });
    }
  }
  const own = pathIn(replicasPaths, apiVersion);
  for (const [manager, { set, applied }] of scale) {
    if (own === undefined || !set.has(replicasInScale)) continue;
    fields.set(manager, { set: FieldSet.of(own), apiVersion, applied });
  }
  // Upstream takes all times from the parent: a manager that is new through the scale has none.
  return encodeManaged({ fields, times: parent.times }) ?? [];
}

function pathIn(replicasPaths: ReplicasPaths, apiVersion: string): Path | undefined {
  const names = Object.hasOwn(replicasPaths, apiVersion) ? replicasPaths[apiVersion] : undefined;
  return names === undefined ? undefined : fieldPath(names);
}
