import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../apimachinery/object.ts';
import { turnedConditions } from './announce.ts';

const condition = (type: string, status: 'True' | 'False', reason: string): Condition => ({
  type,
  status,
  reason,
  message: `because of ${reason}`,
});

describe('turnedConditions', () => {
  const up = [condition('Ready', 'True', 'Ready'), condition('ControlPlaneAvailable', 'True', 'DeploymentAvailable')];
  const starting = [condition('Ready', 'False', 'Starting'), condition('ControlPlaneAvailable', 'False', 'Starting')];

  it('tells once that a tenant is starting, and then that it is ready', () => {
    expect(turnedConditions(undefined, starting)).toEqual([
      { type: 'Normal', reason: 'Starting', message: 'because of Starting' },
    ]);
    expect(turnedConditions(starting, starting)).toEqual([]);
    expect(turnedConditions(starting, up).map(({ reason }) => reason)).toEqual(['Ready', 'DeploymentAvailable']);
    expect(turnedConditions(up, up)).toEqual([]);
  });

  it('warns of a tenant that cannot come up, and again when the reason is another', () => {
    const unreachable = [condition('Ready', 'False', 'Unreachable')];
    expect(turnedConditions(undefined, unreachable)).toMatchObject([{ type: 'Warning', reason: 'Unreachable' }]);
    expect(turnedConditions(unreachable, [condition('Ready', 'False', 'PermissionDenied')])).toMatchObject([
      { type: 'Warning', reason: 'PermissionDenied' },
    ]);
  });

  it('warns of a step that was done and no longer is', () => {
    const before = [condition('Ready', 'True', 'Ready'), condition('DataStoreReady', 'True', 'TenantSetUp')];
    const after = [condition('Ready', 'False', 'TimedOut'), condition('DataStoreReady', 'False', 'TimedOut')];
    expect(turnedConditions(before, after)).toHaveLength(2);
    expect(turnedConditions(before, after).every(({ type }) => type === 'Warning')).toBe(true);
  });

  it('does not warn of a tenant that was put to sleep', () => {
    expect(turnedConditions(up, [condition('Ready', 'False', 'Sleeping')])).toMatchObject([{ type: 'Normal' }]);
  });
});
