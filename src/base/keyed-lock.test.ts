import { expect, it } from 'vitest';
import { FakeClock, settle } from './fake-clock.ts';
import { KeyedLock } from './keyed-lock.ts';
import { mapLimited } from './limiter.ts';

it('runs work of one key in order and of other keys beside it', async () => {
  const clock = new FakeClock();
  const lock = new KeyedLock();
  const seen: string[] = [];
  const work = (name: string) => async () => {
    seen.push(`+${name}`);
    await clock.sleep(10);
    seen.push(`-${name}`);
  };
  const all = Promise.all([lock.run('a', work('a1')), lock.run('a', work('a2')), lock.run('b', work('b1'))]);
  await clock.advance(100);
  await all;
  expect(seen).toEqual(['+a1', '+b1', '-a1', '+a2', '-b1', '-a2']);
  expect(lock.size).toBe(0);
});

it('goes on after a failure and after a waiter that gave up, still one at a time', async () => {
  const clock = new FakeClock();
  const lock = new KeyedLock();
  const giveUp = new AbortController();
  const seen: string[] = [];
  const first = lock.run('a', async () => {
    await clock.sleep(10);
    throw new Error('first');
  });
  const second = lock.run('a', async () => void seen.push('second'), giveUp.signal);
  const third = lock.run('a', async () => void seen.push('third'));
  giveUp.abort(new Error('gave up'));
  await expect(second).rejects.toThrow('gave up');
  await settle();
  expect(seen).toEqual([]);
  const failed = expect(first).rejects.toThrow('first');
  await clock.advance(10);
  await failed;
  await third;
  expect(seen).toEqual(['third']);
  expect(lock.size).toBe(0);
});

it('maps with bounded concurrency, in order, and ends what runs before it fails', async () => {
  let active = 0;
  let most = 0;
  const work = async (n: number): Promise<number> => {
    most = Math.max(most, ++active);
    await settle();
    active--;
    if (n === 7) throw new Error('seven');
    return n * 2;
  };
  expect(await mapLimited([1, 2, 3, 4, 5], 2, work)).toEqual([2, 4, 6, 8, 10]);
  expect(most).toBe(2);
  await expect(mapLimited([6, 7, 8, 9, 10, 11], 2, work)).rejects.toThrow('seven');
  expect(active).toBe(0);
  expect(await mapLimited([], 2, work)).toEqual([]);
});
