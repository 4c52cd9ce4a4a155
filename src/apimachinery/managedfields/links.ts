import { FieldSet } from '../fieldpath/field-set.ts';
import { fieldPath } from '../fieldpath/path-element.ts';
import type { MutableManagers } from '../merge/versioned-set.ts';
import type { GroupVersionKind, KubeObject } from '../object.ts';
import { newBadRequest } from '../status.ts';
import { capUpdateManagers } from './cap-managers.ts';
import { formatGroupVersionKind, groupVersion } from './group-version.ts';
import type { Managed } from './managed.ts';
import type { Manager, Write } from './manager.ts';
import { OwnershipError } from './manager.ts';
import { managerIdentifier } from './manager-identifier.ts';

/** The small links of the chain, outermost first. k8s.io/apimachinery/pkg/util/managedfields/internal. */

/** Refuses to apply another kind or version. versioncheck.go. */
export function versionCheck(inner: Manager, kind: GroupVersionKind): Manager {
  return {
    update: (write) => inner.update(write),
    apply(write) {
      const given = formatGroupVersionKind(write.next);
      if (given !== `${kind.group}/${kind.version}, Kind=${kind.kind}`) {
        throw newBadRequest(`invalid object type: ${given}`);
      }
      return inner.apply(write);
    },
  };
}

const beforeFirstApply = 'before-first-apply';

/**
 * An object without managers stays so through updates: it came to be without owned fields, or was reset. The first apply gives what
 * is there to `before-first-apply`. skipnonapplied.go, which tracks every create.
 */
export function skipNonApplied(inner: Manager): Manager {
  return {
    update(write) {
      const isCreate = !write.live.metadata?.uid;
      return write.managed.fields.size === 0 && !isCreate ? write.managed : inner.update(write);
    },
    apply(write) {
      if (write.managed.fields.size > 0) return inner.apply(write);
      const { apiVersion, kind } = write.next;
      const empty = { apiVersion, kind } as KubeObject;
      const managed = claimExisting(inner, { ...write, live: empty, next: write.live, manager: beforeFirstApply });
      return inner.apply({ ...write, managed });
    },
  };
}

function claimExisting(inner: Manager, write: Write): Managed {
  try {
    return inner.update(write);
  } catch (error) {
    if (!(error instanceof OwnershipError)) throw error;
    throw new OwnershipError(`failed to create manager for existing fields: ${error.message}`, { cause: error });
  }
}

/** Keeps at most ten updaters. capmanagers.go. */
export function capManagers(inner: Manager): Manager {
  return {
    update: (write) => capUpdateManagers(inner.update(write)),
    apply: (write) => inner.apply(write),
  };
}

/** Makes an identifier of the manager's name. buildmanagerinfo.go. */
export function buildManagerInfo(inner: Manager, kind: GroupVersionKind, subresource: string): Manager {
  const apiVersion = groupVersion(kind);
  const identify = (name: string, operation: 'Apply' | 'Update') =>
    managerIdentifier({ manager: name === '' ? 'unknown' : name, operation, apiVersion, subresource });
  return {
    update: (write) => inner.update({ ...write, manager: identify(write.manager, 'Update') }),
    apply: (write) => inner.apply({ ...write, manager: identify(write.manager, 'Apply') }),
  };
}

const currentOperation = 'current-operation';

/** Sets the time of a manager whose write changed something. managedfieldsupdater.go. */
export function stampTimes(inner: Manager): Manager {
  return {
    update(write) {
      const { manager } = write;
      // Under a name that nobody has, so that the set of this write alone comes back.
      const managed = inner.update({ ...write, manager: currentOperation });
      const current = managed.fields.get(currentOperation);
      if (current === undefined) return managed;
      const fields: MutableManagers = new Map(managed.fields);
      fields.delete(currentOperation);
      const previous = fields.get(manager);
      fields.set(manager, previous === undefined ? current : { ...current, set: current.set.union(previous.set) });
      return withTime({ fields, times: managed.times }, manager, write.now);
    },
    apply(write) {
      const { object, managed } = inner.apply(write);
      return { object, managed: object === undefined ? managed : withTime(managed, write.manager, write.now) };
    },
  };
}

function withTime(managed: Managed, manager: string, time: string): Managed {
  return { fields: managed.fields, times: new Map(managed.times).set(manager, time) };
}

const stripped = FieldSet.of(
  ...['apiVersion', 'kind', 'metadata'].map((name) => fieldPath([name])),
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => fieldPath(['metadata', name])),
);

/** Nobody owns what names the object or is the server's. stripmeta.go. */
export function stripMeta(inner: Manager): Manager {
  const strip = (managed: Managed, manager: string): Managed => {
    const versioned = managed.fields.get(manager);
    if (versioned === undefined) return managed;
    const fields: MutableManagers = new Map(managed.fields);
    const set = versioned.set.difference(stripped);
    if (set.empty) fields.delete(manager);
    else fields.set(manager, { ...versioned, set });
    return { fields, times: managed.times };
  };
  return {
    update: (write) => strip(inner.update(write), write.manager),
    apply(write) {
      const { object, managed } = inner.apply(write);
      return { object, managed: strip(managed, write.manager) };
    },
  };
}
