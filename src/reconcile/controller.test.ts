import { afterEach, describe, expect, it } from 'vitest';
import { failure } from '../../test/env/memory-cluster.ts';
import { FakeClock, settle } from '../base/fake-clock.ts';
import { createLogger } from '../base/log.ts';
import { createMetrics } from '../base/metrics.ts';
import { createController, type ControllerOptions } from './controller.ts';
import { TerminalError } from './terminal-error.ts';

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

function setUp(reconcile: ControllerOptions['reconcile'], options: Partial<ControllerOptions> = {}) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLogger({ clock, level: 'debug', write: (line) => void lines.push(line) });
  const metrics = createMetrics();
  const backoff = { initialMs: 100, maxMs: 1000 };
  const controller = createController({
    name: 'test',
    reconcile,
    clock,
    log,
    metrics,
    random: () => 0.5,
    backoff,
    ...options,
  });
  const running = controller.run(stop.signal);
  return { controller, clock, lines, metrics, running };
}

describe('controller', () => {
  it('works on several keys at once and never twice on one', async () => {
    const active = new Map<string, number>();
    let most = 0;
    let overlaps = 0;
    const { controller, clock } = setUp(
      async (key) => {
        active.set(key, (active.get(key) ?? 0) + 1);
        if (active.get(key)! > 1) overlaps++;
        most = Math.max(
          most,
          [...active.values()].reduce((a, b) => a + b),
        );
        await clock.sleep(10);
        active.set(key, active.get(key)! - 1);
      },
      { concurrency: 3 },
    );
    for (const key of ['a', 'b', 'c', 'd', 'e']) controller.enqueue(key);
    await clock.advance(5);
    controller.enqueue('a');
    await clock.advance(100);
    expect([most, overlaps]).toEqual([3, 0]);
    expect(controller.queue.depth).toBe(0);
  });

  it('tries again with backoff what throws, and starts over after it went well', async () => {
    const times: number[] = [];
    const { controller, clock, lines } = setUp(async () => {
      times.push(clock.monotonic());
      if (times.length < 4) throw new Error('boom');
    });
    controller.enqueue('ns/a');
    await clock.advance(5000);
    expect(times).toEqual([0, 100, 300, 700]);
    expect(controller.queue.failures('ns/a')).toBe(0);
    expect(lines.filter((line) => line.includes('boom'))).toHaveLength(3);
    expect(lines.join('')).toContain('"object":"ns/a"');
  });

  it('comes again when the result says so, without backoff', async () => {
    const times: number[] = [];
    const { controller, clock } = setUp(async () => {
      times.push(clock.monotonic());
      return times.length < 4 ? { requeueAfterMs: 1000 } : {};
    });
    controller.enqueue('a');
    await clock.advance(10_000);
    expect(times).toEqual([0, 1000, 2000, 3000]);
  });

  it('does not try again after a terminal error, until somebody asks', async () => {
    let calls = 0;
    const { controller, clock, lines, metrics } = setUp(async () => {
      calls++;
      throw new TerminalError('Taken', 'the name is taken');
    });
    controller.enqueue('a');
    await clock.advance(1e6);
    expect(calls).toBe(1);
    controller.enqueue('a');
    await clock.advance(1);
    expect(calls).toBe(2);
    expect(lines.join('')).toContain('the name is taken');
    expect(await metrics.text()).toContain('controller_reconcile_total{controller="test",result="terminal"} 2');
  });

  it('takes a conflict for no error', async () => {
    let calls = 0;
    const { controller, clock, lines } = setUp(async () => {
      if (++calls === 1) throw failure(409, 'Conflict', 'modified');
    });
    controller.enqueue('a');
    await clock.advance(1000);
    expect(calls).toBe(2);
    expect(lines.join('')).not.toContain('"level":"error"');
  });

  it('ends a reconcile that takes too long, and tries it again', async () => {
    const reasons: string[] = [];
    const { controller, clock } = setUp(
      async (_, signal) => {
        await clock.sleep(1e9, signal).catch((error: unknown) => {
          reasons.push(String(error));
          throw error;
        });
      },
      { timeoutMs: 1000 },
    );
    controller.enqueue('a');
    await clock.advance(2500);
    expect(reasons).toEqual(Array(2).fill('TimeoutError: the reconcile took longer than 1000 ms'));
  });

  it('waits for its caches, then stops with the reconcile under way told to end', async () => {
    const synced = Promise.withResolvers<void>();
    const seen: string[] = [];
    const { controller, clock, running, lines } = setUp(
      async (key, signal) => {
        seen.push(key);
        await clock.sleep(1e9, signal);
      },
      { caches: [{ waitForSync: () => synced.promise }] },
    );
    controller.enqueue('a');
    await settle();
    expect(seen).toEqual([]);
    synced.resolve();
    await settle();
    expect(seen).toEqual(['a']);
    stop.abort();
    await running;
    expect(lines.join('')).not.toContain('"level":"error"');
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends when it is stopped while it waits for its caches', async () => {
    const { running } = setUp(async () => undefined, {
      caches: [
        {
          waitForSync: (signal) =>
            new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
        },
      ],
    });
    await settle();
    stop.abort();
    await running;
  });
});
