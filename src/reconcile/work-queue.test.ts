import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/fake-clock.ts';
import { createMetrics } from '../base/metrics.ts';
import { WorkQueue } from './work-queue.ts';

const { signal } = new AbortController();

function setUp(): { queue: WorkQueue; clock: FakeClock } {
  const clock = new FakeClock();
  const backoff = { initialMs: 100, maxMs: 1000 };
  return { queue: new WorkQueue({ name: 'test', clock, random: () => 0.5, backoff }), clock };
}

describe('WorkQueue', () => {
  it('hands out each key once, in the order of arrival', async () => {
    const { queue } = setUp();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(queue.depth).toBe(3);
    expect([await queue.next(signal), await queue.next(signal), await queue.next(signal)]).toEqual(['a', 'b', 'c']);
    expect(queue.depth).toBe(0);
  });

  it('never hands out a key that is being worked on, and hands it out again after', async () => {
    const { queue } = setUp();
    queue.add('a');
    expect(await queue.next(signal)).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    const next = queue.next(signal);
    queue.add('b');
    expect(await next).toBe('b');
    const again = queue.next(signal);
    queue.done('a');
    expect(await again).toBe('a');
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  it('wakes those who wait in their order, and forgets one who gave up', async () => {
    const { queue } = setUp();
    const giveUp = new AbortController();
    const first = queue.next(giveUp.signal);
    const second = queue.next(signal);
    giveUp.abort(new Error('gave up'));
    await expect(first).rejects.toThrow('gave up');
    await expect(queue.next(giveUp.signal)).rejects.toThrow('gave up');
    queue.add('a');
    expect(await second).toBe('a');
  });

  it('adds later, at the earliest of the times asked for', async () => {
    const { queue, clock } = setUp();
    queue.addAfter('a', 500);
    queue.addAfter('a', 200);
    queue.addAfter('a', 900);
    queue.addAfter('b', 0);
    expect([queue.depth, queue.delayed]).toEqual([1, 1]);
    await clock.advance(199);
    expect(queue.depth).toBe(1);
    await clock.advance(1);
    expect([queue.depth, queue.delayed, clock.pendingTimers]).toEqual([2, 0, 0]);
  });

  it('waits longer after each failure until told to forget', async () => {
    const { queue, clock } = setUp();
    expect([1, 2, 3, 4, 5, 6].map(() => queue.addRateLimited('a'))).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(queue.failures('a')).toBe(6);
    expect(queue.delayed).toBe(1);
    queue.forget('a');
    expect(queue.addRateLimited('a')).toBe(100);
    await clock.advance(100);
    expect(queue.depth).toBe(1);
  });

  it('holds nothing after the stop', async () => {
    const { queue, clock } = setUp();
    queue.add('a');
    queue.addAfter('b', 100);
    queue.stop();
    queue.add('c');
    queue.addAfter('d', 1);
    await clock.advance(1000);
    expect([queue.depth, queue.delayed, clock.pendingTimers]).toEqual([0, 0, 0]);
  });

  it('reports depth and latency', async () => {
    const clock = new FakeClock();
    const metrics = createMetrics();
    const queue = new WorkQueue({ name: 'q', clock, metrics });
    queue.add('a');
    queue.add('b');
    await clock.advance(2000);
    await queue.next(signal);
    const text = await metrics.text();
    expect(text).toContain('workqueue_depth{name="q"} 1');
    expect(text).toContain('workqueue_adds_total{name="q"} 2');
    expect(text).toContain('workqueue_queue_duration_seconds_sum{name="q"} 2');
  });
});
