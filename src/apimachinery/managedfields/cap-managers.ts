import type { MutableManagers } from '../merge/versioned-set.ts';
import { compareText } from '../text-order.ts';
import type { Managed } from './managed.ts';
import { managerIdentifier } from './manager-identifier.ts';

const maxUpdateManagers = 10;
const bucketName = 'ancient-changes';
const epoch = '1970-01-01T00:00:00Z';

/**
 * Puts the oldest updaters together, those of a version in one bucket, until there are no more than ten.
 * k8s.io/apimachinery/pkg/util/managedfields/internal, capmanagers.go.
 */
export function capUpdateManagers(managed: Managed): Managed {
  const updaters: string[] = [];
  for (const [manager, { applied }] of managed.fields) if (!applied) updaters.push(manager);
  if (updaters.length <= maxUpdateManagers) return managed;
  const timeOf = (manager: string) => managed.times.get(manager) ?? epoch;
  updaters.sort((a, b) => compareText(timeOf(a), timeOf(b)) || compareText(a, b));

  const fields: MutableManagers = new Map(managed.fields);
  const times = new Map(managed.times);
  const firstOfVersion = new Map<string, string>();
  let count = updaters.length;
  for (const manager of updaters) {
    if (count <= maxUpdateManagers) break;
    const versioned = fields.get(manager)!;
    const { apiVersion } = versioned;
    const first = firstOfVersion.get(apiVersion);
    if (first === undefined) {
      firstOfVersion.set(apiVersion, manager);
      continue;
    }
    const bucket = managerIdentifier({ manager: bucketName, operation: 'Update', apiVersion, subresource: '' });
    if (!fields.has(bucket)) {
      fields.set(bucket, fields.get(first)!);
      fields.delete(first);
    }
    fields.set(bucket, { ...versioned, set: versioned.set.union(fields.get(bucket)!.set) });
    // Upstream deletes the bucket too where it is not the oldest of its version, and so do we.
    fields.delete(manager);
    count--;
    // The younger of the two times.
    const time = managed.times.get(manager);
    if (time === undefined) times.delete(bucket);
    else times.set(bucket, time);
  }
  return { fields, times };
}
