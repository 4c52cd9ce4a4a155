import type { KubeObject } from '../../../apimachinery/object.ts';
import type { TenantInput } from '../tenant-input.ts';

/**
 * Remembers what was described as long as the input lives. Inputs are never changed, so it is the same; and it is asked for
 * several times a pass: for the status, to be applied, and for the hashes in the pods.
 */
export function oncePerInput(
  desired: (input: TenantInput) => readonly KubeObject[],
): (input: TenantInput) => readonly KubeObject[] {
  const known = new WeakMap<TenantInput, readonly KubeObject[]>();
  return (input) => {
    const before = known.get(input);
    if (before !== undefined) return before;
    const objects = desired(input);
    known.set(input, objects);
    return objects;
  };
}
