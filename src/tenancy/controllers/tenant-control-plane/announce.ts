import type { Condition } from '../../../apimachinery/object.ts';
import { getCondition } from '../../../reconcile/conditions.ts';

export interface Announcement {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** On the way up, or as the user wants it: nothing to warn of. */
const ORDINARY = new Set([
  'Provisioning',
  'Starting',
  'Waiting',
  'Sleeping',
  'WaitingForClusterIP',
  'WaitingForLoadBalancer',
]);
/** Told when they come true. The other steps are over in the first second, and Ready tells when one of them is not. */
const MILESTONES = new Set(['Ready', 'ControlPlaneAvailable']);

/**
 * What is worth an Event: Ready whenever its reason changes, a step that was done and no longer is, a milestone that is reached.
 * Few on purpose: an Event is a write to the admin cluster, and there are hundreds of tenants.
 */
export function turnedConditions(
  before: readonly Condition[] | undefined,
  after: readonly Condition[] | undefined,
): readonly Announcement[] {
  return (after ?? []).flatMap((condition): readonly Announcement[] => {
    const { type, status, reason, message } = condition;
    const old = getCondition(before, type);
    if (status === 'True') {
      return MILESTONES.has(type) && old?.status !== 'True' ? [{ type: 'Normal', reason, message }] : [];
    }
    const isNews = type === 'Ready' ? old?.reason !== reason : old?.status === 'True';
    return isNews ? [{ type: ORDINARY.has(reason) ? 'Normal' : 'Warning', reason, message }] : [];
  });
}
