import { expect, test } from 'vitest';
import { FakeClock } from '../base/fake-clock.ts';
import { SendBudget } from './send-budget.ts';

test('what exceeds the budget waits until something has been given back, in order', async () => {
  const budget = new SendBudget(10, new FakeClock());
  expect(budget.take(6)).toBeUndefined();
  expect(budget.take(6)).toBeUndefined();
  const order: string[] = [];
  const first = budget.take(5)?.then(() => order.push('first'));
  const second = budget.take(5)?.then(() => order.push('second'));
  expect([first, second]).not.toContain(undefined);
  budget.giveBack(2);
  await Promise.resolve();
  expect(order).toEqual([]);
  budget.giveBack(4);
  await first;
  expect(order).toEqual(['first']);
  budget.giveBack(6);
  await second;
  expect(order).toEqual(['first', 'second']);
});

test('nobody waits for long for those who do not read', async () => {
  const clock = new FakeClock();
  const budget = new SendBudget(1, clock);
  expect(budget.take(5)).toBeUndefined();
  let isSent = false;
  const waiting = budget.take(5)?.then(() => (isSent = true));
  await clock.advance(49);
  expect(isSent).toBe(false);
  await clock.advance(1);
  await waiting;
  budget.giveBack(5);
  budget.giveBack(5);
  expect(budget.take(1)).toBeUndefined();
});
