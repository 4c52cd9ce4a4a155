import { describe, expect, it } from 'vitest';
import type { Condition } from '../apimachinery/object.ts';
import { getCondition, isConditionTrue, removeCondition, setCondition } from './conditions.ts';

const first = Date.UTC(2026, 0, 1);
const later = first + 60_000;
const waiting: Condition = {
  type: 'Ready',
  status: 'False',
  reason: 'Waiting',
  message: 'for a node',
  observedGeneration: 1,
};

describe('setCondition', () => {
  it('adds with the time', () => {
    expect(setCondition(undefined, waiting, first)).toEqual([
      { ...waiting, lastTransitionTime: '2026-01-01T00:00:00Z' },
    ]);
  });

  it('moves the time only with the status', () => {
    const before = setCondition(undefined, waiting, first);
    const reworded = setCondition(before, { ...waiting, message: 'for a pod' }, later);
    expect(reworded).toEqual([{ ...waiting, message: 'for a pod', lastTransitionTime: '2026-01-01T00:00:00Z' }]);
    const ready = setCondition(reworded, { ...waiting, status: 'True', reason: 'Up' }, later);
    expect(ready[0]).toMatchObject({ status: 'True', lastTransitionTime: '2026-01-01T00:01:00Z' });
  });

  it('answers the same array when nothing changed, and keeps the order of the others', () => {
    const other: Condition = { type: 'Other', status: 'True', reason: 'X', message: '' };
    const before = setCondition(setCondition(undefined, waiting, first), other, first);
    expect(setCondition(before, { ...waiting }, later)).toBe(before);
    expect(setCondition(before, { ...waiting, status: 'Unknown' }, later).map((item) => item.type)).toEqual([
      'Ready',
      'Other',
    ]);
    expect(setCondition(before, { ...waiting, observedGeneration: 2 }, later)[0]!.observedGeneration).toBe(2);
  });

  it('finds and removes', () => {
    const before = setCondition(undefined, waiting, first);
    expect(isConditionTrue(before, 'Ready')).toBe(false);
    expect(getCondition(before, 'None')).toBeUndefined();
    expect(removeCondition(before, 'None')).toBe(before);
    expect(removeCondition(before, 'Ready')).toEqual([]);
  });
});
