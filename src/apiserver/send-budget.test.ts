import { expect, test } from 'vitest';
import { FakeClock } from '../base/fake-clock.ts';
import { SendBudget } from './send-budget.ts';

test('what exceeds the budget waits until half of it is free again', async () => {
  const budget = new SendBudget(10, new FakeClock());
  expect(budget.pause()).toBeUndefined();
  budget.take(6);
  expect(budget.pause()).toBeUndefined();
  budget.take(6);
  let isOver = false;
  const pause = budget.pause()!;
  expect(budget.pause(), 'one pause for all').toBe(pause);
  const waiting = pause.then(() => (isOver = true));
  budget.giveBack(6);
  await Promise.resolve();
  expect(isOver).toBe(false);
  budget.giveBack(1);
  await waiting;
  expect(budget.pause()).toBeUndefined();
});

test('nobody waits for long, and only once, for those who do not read', async () => {
  const clock = new FakeClock();
  const budget = new SendBudget(10, clock);
  budget.take(15);
  let isOver = false;
  const waiting = budget.pause()!.then(() => (isOver = true));
  await clock.advance(49);
  expect(isOver).toBe(false);
  await clock.advance(1);
  await waiting;
  expect(budget.pause(), 'what is stuck no longer counts').toBeUndefined();
  budget.take(10);
  expect(budget.pause(), 'what came later does').toBeInstanceOf(Promise);
  budget.giveBack(10);
  expect(budget.pause()).toBeUndefined();
  budget.giveBack(15);
  budget.take(10);
  expect(budget.pause(), 'the whole budget is there again, and no more').toBeInstanceOf(Promise);
});
