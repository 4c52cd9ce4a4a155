import { expect, test } from 'vitest';
import { SharedRead } from './shared-read.ts';

function reader() {
  const asked: PromiseWithResolvers<number>[] = [];
  const shared = new SharedRead(() => {
    const question = Promise.withResolvers<number>();
    asked.push(question);
    return question.promise;
  });
  return { asked, shared };
}

test('who asks while a question is under way gets the answer to the next one', async () => {
  const { asked, shared } = reader();
  const first = shared.read();
  const late = [shared.read(), shared.read()];
  expect(asked).toHaveLength(1);
  asked[0]!.resolve(1);
  expect(await first).toBe(1);
  await Promise.resolve();
  expect(asked).toHaveLength(2);
  asked[1]!.resolve(2);
  expect(await Promise.all(late)).toEqual([2, 2]);
});

test('a failure is that of those who asked, and the next question is asked', async () => {
  const { asked, shared } = reader();
  const first = shared.read();
  const late = shared.read();
  asked[0]!.reject(new Error('lost'));
  await expect(first).rejects.toThrow('lost');
  await Promise.resolve();
  asked[1]!.resolve(2);
  expect(await late).toBe(2);
  const again = shared.read();
  asked[2]!.resolve(3);
  expect(await again).toBe(3);
});
