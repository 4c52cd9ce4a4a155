import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../base/fake-clock.ts';
import { ApiError } from '../../../kubeclient/api-error.ts';
import type { KubeClient } from '../../../kubeclient/client.ts';
import type { LiveDeployment } from './facts.ts';
import { findPodTrouble } from './pod-trouble.ts';

const CREATED_MS = Date.parse('2026-01-01T00:00:00Z');
const { signal } = new AbortController();

function deployment(replicas: number, availableReplicas = 0): LiveDeployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 't', namespace: 'team', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { replicas, template: { spec: { containers: [] } } },
    status: { availableReplicas },
  };
}

const failing = {
  metadata: { name: 't-1' },
  status: {
    containerStatuses: [
      {
        name: 'kube-apiserver',
        ready: false,
        state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } },
      },
    ],
  },
};
const starting = {
  metadata: { name: 't-1' },
  status: { containerStatuses: [{ name: 'kube-apiserver', ready: false, state: { running: {} } }] },
};

function look(live: LiveDeployment | undefined, answer: object | Error, ageMs = 60_000) {
  let asked = 0;
  const client = {
    list: async () => {
      asked++;
      if (answer instanceof Error) throw answer;
      return { items: [answer] };
    },
  } as unknown as KubeClient;
  const found = findPodTrouble(client, live, new FakeClock(CREATED_MS + ageMs), signal);
  return found.then((trouble) => ({ trouble, asked }));
}

describe('trouble with pods', () => {
  it('is told with the container and the words of the kubelet', async () => {
    const { trouble } = await look(deployment(1), failing);
    expect(trouble?.reason).toBe('ContainerFailing');
    expect(trouble?.message).toMatch(/kube-apiserver.*ImagePullBackOff.*no such image/);
  });

  it('is not an ordinary start', async () => {
    expect((await look(deployment(1), starting)).trouble).toBeUndefined();
  });

  it.each([
    ['there is no Deployment', undefined, 60_000],
    ['it sleeps', deployment(0), 60_000],
    ['it serves', deployment(2, 1), 60_000],
    ['it has just been made', deployment(1), 2_000],
  ])('is not looked for when %s', async (_what, live, ageMs) => {
    expect(await look(live, failing, ageMs)).toEqual({ trouble: undefined, asked: 0 });
  });

  it('that may not be read holds up nothing', async () => {
    expect((await look(deployment(1), new ApiError('forbidden', 403))).trouble).toBeUndefined();
  });
});
