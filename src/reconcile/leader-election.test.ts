import { afterEach, describe, expect, it } from 'vitest';
import { failure, MemoryCluster } from '../../test/env/memory-cluster.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { LEASES } from '../kubeclient/resources.ts';
import { LeadershipLostError, leadWhileElected, runLeaderElection } from './leader-election.ts';

let stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops) stop.abort();
  stops = [];
});

function candidate(
  cluster: MemoryCluster,
  clock: FakeClock,
  identity: string,
  work?: (signal: AbortSignal) => Promise<void>,
  elect = runLeaderElection,
) {
  const stop = new AbortController();
  stops.push(stop);
  const state = { leads: false, ended: undefined as unknown, signal: undefined as AbortSignal | undefined };
  const lead = async (signal: AbortSignal): Promise<void> => {
    state.leads = true;
    state.signal = signal;
    try {
      await (work ? work(signal) : clock.sleep(1e9, signal));
    } finally {
      state.leads = false;
    }
  };
  const options = {
    client: cluster,
    namespace: 'sys',
    name: 'leader',
    identity,
    clock,
    random: () => 0,
    log: silentLogger,
    lead,
  };
  const done = elect(options, stop.signal).then(
    () => void (state.ended = 'returned'),
    (error: unknown) => void (state.ended = error),
  );
  return { stop, state, done };
}

const holder = (cluster: MemoryCluster): string | undefined =>
  cluster.peek(LEASES, 'sys', 'leader')?.spec?.holderIdentity;

describe('leader election', () => {
  it('lets one lead, renews, and hands over as soon as it stops', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    const a = candidate(cluster, clock, 'a');
    await clock.advance(0);
    const b = candidate(cluster, clock, 'b');
    await clock.advance(120_000);
    expect([a.state.leads, b.state.leads, holder(cluster)]).toEqual([true, false, 'a']);
    a.stop.abort();
    await a.done;
    expect([a.state.ended, holder(cluster)]).toEqual(['returned', '']);
    await clock.advance(2_000);
    expect([b.state.leads, holder(cluster)]).toEqual([true, 'b']);
    expect(cluster.peek(LEASES, 'sys', 'leader')?.spec).toMatchObject({
      leaseTransitions: 1,
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:02:02.000000Z',
    });
  });

  it('takes over from one that died, not before its lease expired, whatever its clock said', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    const renewTime = '2031-01-01T00:00:00.000000Z';
    cluster.put(LEASES, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: 'sys', name: 'leader' },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime, leaseTransitions: 4 },
    });
    const b = candidate(cluster, clock, 'b');
    await clock.advance(14_000);
    expect(b.state.leads).toBe(false);
    await clock.advance(3_000);
    expect(b.state.leads).toBe(true);
    expect(cluster.peek(LEASES, 'sys', 'leader')?.spec?.leaseTransitions).toBe(5);
  });

  it('ends its work and throws when it cannot renew in time', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    const a = candidate(cluster, clock, 'a');
    await clock.advance(3_000);
    cluster.intercept = () => {
      throw failure(503, 'ServiceUnavailable', 'down');
    };
    await clock.advance(8_000);
    expect(a.state.leads).toBe(true);
    await clock.advance(4_000);
    expect(a.state.leads).toBe(false);
    expect(a.state.ended).toBeInstanceOf(LeadershipLostError);
    expect(clock.pendingTimers).toBeLessThanOrEqual(1);
  });

  it('does not wait for ever for work that ignores the loss', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    const a = candidate(cluster, clock, 'a', () => new Promise(() => undefined));
    await clock.advance(3_000);
    cluster.put(LEASES, {
      ...cluster.peek(LEASES, 'sys', 'leader')!,
      spec: { holderIdentity: 'thief', leaseDurationSeconds: 15 },
    });
    await clock.advance(3_000);
    expect(a.state.signal?.aborted).toBe(true);
    await clock.advance(5_000);
    expect(a.state.ended).toBeInstanceOf(LeadershipLostError);
    expect(String(a.state.ended)).toContain('thief');
  });

  it('survives short failures and foreign touches of the lease', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    const a = candidate(cluster, clock, 'a');
    await clock.advance(3_000);
    const lease = cluster.peek(LEASES, 'sys', 'leader')!;
    cluster.put(LEASES, { ...lease, metadata: { ...lease.metadata, labels: { touched: 'yes' } } });
    await clock.advance(6_000);
    expect([a.state.leads, a.state.ended]).toEqual([true, undefined]);
    cluster.remove(LEASES, 'sys', 'leader');
    await clock.advance(20_000);
    expect([a.state.leads, holder(cluster)]).toEqual([true, 'a']);
  });

  it('only one of two that start at once wins', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    const all = ['a', 'b', 'c'].map((identity) => candidate(cluster, clock, identity));
    await clock.advance(60_000);
    expect(all.filter(({ state }) => state.leads)).toHaveLength(1);
  });

  it('throws what the work throws, after giving the lease back', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    const a = candidate(cluster, clock, 'a', async () => {
      throw new Error('boom');
    });
    await clock.advance(10);
    expect(a.state.ended).toEqual(new Error('boom'));
    expect(holder(cluster)).toBe('');
  });

  it('stops waiting when told', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    candidate(cluster, clock, 'a');
    await clock.advance(0);
    const b = candidate(cluster, clock, 'b');
    await clock.advance(5_000);
    b.stop.abort();
    await b.done;
    expect(b.state.ended).toBe('returned');
  });
});

describe('leading whenever elected', () => {
  const refuse = (): never => {
    throw failure(503, 'ServiceUnavailable', 'down');
  };

  it('goes on without leading when the lease is lost, and leads again when it can', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    const a = candidate(cluster, clock, 'a', undefined, leadWhileElected);
    await clock.advance(3_000);
    cluster.intercept = refuse;
    await clock.advance(20_000);
    expect([a.state.leads, a.state.ended]).toEqual([false, undefined]);
    cluster.intercept = () => undefined;
    await clock.advance(5_000);
    expect([a.state.leads, holder(cluster)]).toEqual([true, 'a']);
    a.stop.abort();
    await a.done;
    expect([a.state.ended, holder(cluster)]).toEqual(['returned', '']);
  });

  it('throws when the work would not end: then only the end of the process is sure', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    const a = candidate(cluster, clock, 'a', () => new Promise(() => undefined), leadWhileElected);
    await clock.advance(3_000);
    cluster.intercept = refuse;
    await clock.advance(30_000);
    expect(a.state.ended).toMatchObject({ name: 'LeadershipLostError', stillWorking: true });
  });

  it('takes work that ends by itself for a failure', async () => {
    const cluster = new MemoryCluster();
    const clock = new FakeClock();
    const a = candidate(cluster, clock, 'a', async () => undefined, leadWhileElected);
    await clock.advance(10);
    expect(String(a.state.ended)).toContain('ended by itself');
  });
});
