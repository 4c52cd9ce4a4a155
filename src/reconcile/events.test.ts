import { afterEach, describe, expect, it } from 'vitest';
import { failure, MemoryCluster } from '../../test/env/memory-cluster.ts';
import type { KubeObject } from '../apimachinery/object.ts';
import { FakeClock, settle } from '../base/fake-clock.ts';
import { createLogger } from '../base/log.ts';
import type { KubeEvent } from '../kubeclient/kinds.ts';
import { EVENTS } from '../kubeclient/resources.ts';
import { createEventRecorder } from './events.ts';

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

const tenant: KubeObject = {
  apiVersion: 'kamaji.io/v1alpha1',
  kind: 'TenantControlPlane',
  metadata: { namespace: 'ns', name: 'a', uid: 'u1', resourceVersion: '5' },
};

function setUp() {
  const cluster = new MemoryCluster();
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLogger({ clock, write: (line) => void lines.push(line) });
  const recorder = createEventRecorder({
    client: cluster,
    component: 'kamaji-controller',
    instance: 'pod-1',
    log,
    clock,
    random: () => 0.5,
  });
  const running = recorder.run(stop.signal);
  const stored = async (): Promise<readonly KubeEvent[]> => (await cluster.list(EVENTS, '')).items;
  return { cluster, clock, recorder, running, lines, stored };
}

describe('event recorder', () => {
  it('writes an Event as kubectl describe expects it', async () => {
    const { recorder, stored } = setUp();
    recorder.event(tenant, 'Normal', 'Created', 'The Deployment was created');
    await settle();
    const [event] = await stored();
    expect(event).toMatchObject({
      metadata: { namespace: 'ns', name: expect.stringMatching(/^a\.[0-9a-f]+$/) as string },
      involvedObject: {
        apiVersion: 'kamaji.io/v1alpha1',
        kind: 'TenantControlPlane',
        namespace: 'ns',
        name: 'a',
        uid: 'u1',
      },
      type: 'Normal',
      reason: 'Created',
      message: 'The Deployment was created',
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'kamaji-controller' },
      reportingComponent: 'kamaji-controller',
      reportingInstance: 'pod-1',
    });
  });

  it('counts the same up within ten minutes, and starts another after', async () => {
    const { cluster, clock, recorder, stored } = setUp();
    for (let i = 0; i < 3; i++) {
      recorder.event(tenant, 'Warning', 'Waiting', 'for a node');
      await clock.advance(60_000);
    }
    expect(await stored()).toMatchObject([
      { count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:02:00Z' },
    ]);
    expect(cluster.calls.filter((call) => call.startsWith('PATCH'))).toHaveLength(2);
    await clock.advance(700_000);
    recorder.event(tenant, 'Warning', 'Waiting', 'for a node');
    await settle();
    expect((await stored()).map((event) => event.count)).toEqual([3, 1]);
  });

  it('joins what is said again before it was written', async () => {
    const { cluster, recorder, stored } = setUp();
    for (let i = 0; i < 50; i++) recorder.event(tenant, 'Normal', 'Same', 'thing');
    await settle();
    expect(await stored()).toMatchObject([{ count: 50 }]);
    expect(cluster.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1);
  });

  it('makes an Event again that was cleared away', async () => {
    const { cluster, recorder, stored } = setUp();
    recorder.event(tenant, 'Normal', 'Same', 'thing');
    await settle();
    cluster.remove(EVENTS, 'ns', (await stored())[0]!.metadata.name!);
    recorder.event(tenant, 'Normal', 'Same', 'thing');
    await settle();
    expect(await stored()).toMatchObject([{ count: 2 }]);
  });

  it('puts Events of cluster-scoped objects into default, under a name that is one', async () => {
    const { recorder, stored } = setUp();
    recorder.event(
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'system:Node_x' } },
      'Normal',
      'R',
      'm',
    );
    await settle();
    const [event] = await stored();
    expect(event!.metadata.namespace).toBe('default');
    expect(event!.metadata.name).toMatch(/^system-node-x\.[0-9a-f]+$/);
    expect(event!.involvedObject.namespace).toBeUndefined();
  });

  it('limits different Events of one object, not of others', async () => {
    const { clock, recorder, stored, lines } = setUp();
    for (let i = 0; i < 100; i++) recorder.event(tenant, 'Warning', 'Noise', `number ${i}`);
    recorder.event({ ...tenant, metadata: { ...tenant.metadata, uid: 'u2', name: 'b' } }, 'Normal', 'Quiet', 'once');
    await clock.advance(100);
    expect(await stored()).toHaveLength(26);
    expect(lines.join('')).toContain('"dropped":75');
    await clock.advance(300_000);
    recorder.event(tenant, 'Warning', 'Noise', 'later');
    await settle();
    expect(await stored()).toHaveLength(27);
  });

  it('logs what cannot be written, goes on, and shows no secret', async () => {
    const { cluster, recorder, stored, lines } = setUp();
    cluster.intercept = (call) => {
      if (call.startsWith('POST')) throw failure(403, 'Forbidden', 'may not');
    };
    recorder.event(tenant, 'Normal', 'First', 'x');
    await settle();
    expect(lines.join('')).toContain('may not');
    cluster.intercept = () => undefined;
    recorder.event(tenant, 'Normal', 'Second', `Bearer abcdefghijkl ${'x'.repeat(3000)}`);
    await settle();
    const [event] = await stored();
    expect(event!.message).not.toContain('abcdefghijkl');
    expect(event!.message.length).toBe(1024);
  });

  it('writes what is queued before it ends', async () => {
    const { recorder, running, stored } = setUp();
    await settle();
    recorder.event(tenant, 'Normal', 'Last', 'words');
    stop.abort();
    await running;
    expect(await stored()).toHaveLength(1);
  });
});
