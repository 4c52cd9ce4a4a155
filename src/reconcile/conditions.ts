import type { Condition } from '../apimachinery/object.ts';
import { formatTimestamp } from '../apimachinery/time.ts';

/**
 * The conditions with `condition` in the place of the one of its type. lastTransitionTime moves only when the status changes; nothing
 * changed at all: the same array comes back. As k8s.io/apimachinery/pkg/api/meta/conditions.go, SetStatusCondition.
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  condition: Condition,
  nowMs: number,
): readonly Condition[] {
  const known = getCondition(conditions, condition.type);
  const sameStatus = known?.status === condition.status;
  const lastTransitionTime = (sameStatus ? known.lastTransitionTime : undefined) ?? formatTimestamp(nowMs);
  if (!conditions || !known) return [...(conditions ?? []), { ...condition, lastTransitionTime }];
  if (
    sameStatus &&
    known.lastTransitionTime !== undefined &&
    known.reason === condition.reason &&
    known.message === condition.message &&
    known.observedGeneration === condition.observedGeneration
  ) {
    return conditions;
  }
  return conditions.map((item) => (item === known ? { ...condition, lastTransitionTime } : item));
}

export function removeCondition(conditions: readonly Condition[] | undefined, type: string): readonly Condition[] {
  if (!conditions || !getCondition(conditions, type)) return conditions ?? [];
  return conditions.filter((condition) => condition.type !== type);
}

export function getCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return getCondition(conditions, type)?.status === 'True';
}
