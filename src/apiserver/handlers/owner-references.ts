import { deepEqual } from '../../apimachinery/json.ts';
import type { KubeObject, OwnerReference } from '../../apimachinery/object.ts';
import { withMetadata } from '../registry/codec.ts';
import type { Warnings } from '../warnings.ts';

/**
 * The object without owners that are named twice in the same words; the client is warned.
 * endpoints/handlers/rest.go, dedupOwnerReferencesAndAddWarning.
 */
export function withoutRepeatedOwners(
  object: KubeObject,
  warnings: Warnings,
  found: 'in the request' | 'after admission',
): KubeObject {
  const references = object.metadata.ownerReferences ?? [];
  if (references.length < 2) return object;
  const kept: OwnerReference[] = [];
  const repeated: string[] = [];
  // Only owners of one uid are compared: a list of thousands must not take quadratic time.
  const byUid = new Map<string, OwnerReference[]>();
  for (const reference of references) {
    const same = byUid.get(reference.uid);
    if (same?.some((other) => deepEqual(other, reference)) === true) {
      repeated.push(reference.uid);
      continue;
    }
    if (same === undefined) byUid.set(reference.uid, [reference]);
    else same.push(reference);
    kept.push(reference);
  }
  if (repeated.length === 0) return object;
  const where = found === 'after admission' ? ' after mutating admission happens' : '';
  warnings.add(
    `.metadata.ownerReferences contains duplicate entries${where}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(', ')}`,
  );
  return withMetadata(object, { ...object.metadata, ownerReferences: kept });
}
