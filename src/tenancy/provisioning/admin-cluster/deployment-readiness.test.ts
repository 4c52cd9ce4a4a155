import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../apimachinery/object.ts';
import { deploymentReadiness, type LivePod } from './deployment-readiness.ts';

function deployment(replicas: number, status: object, generation = 1): KubeObject {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 't1', generation },
    spec: { replicas },
    status,
  };
  return object;
}

function pod(status: LivePod['status'], metadata: object = {}): LivePod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 't1-x', ...metadata }, ...(status && { status }) };
}

const rolledOut = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const starting = { observedGeneration: 1, replicas: 1, updatedReplicas: 1 };
const container = (name: string, rest: object) => ({ name, ready: false, ...rest });

describe('deploymentReadiness', () => {
  it.each<[string, KubeObject | undefined, readonly LivePod[], string, string, RegExp]>([
    ['no Deployment', undefined, [], 'False', 'Missing', /does not exist/],
    ['asleep', deployment(0, { observedGeneration: 1 }), [], 'False', 'Sleeping', /replicas is 0/],
    ['no status yet', deployment(2, {}), [], 'False', 'Progressing', /^0 of 2 pods/],
    ['all there', deployment(2, rolledOut), [], 'True', 'Available', /^2 of 2/],
    [
      'not observed yet',
      deployment(2, rolledOut, 2),
      [],
      'True',
      'Progressing',
      /2 pods are available, 0 of 2 are up to date/,
    ],
    [
      'rolling',
      deployment(2, { ...rolledOut, replicas: 4, availableReplicas: 3 }),
      [],
      'True',
      'Progressing',
      /3 pods are available, 2 of 2/,
    ],
    [
      'refused by admission',
      deployment(1, {
        conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' }],
      }),
      [],
      'False',
      'PodsRefused',
      /exceeded quota/,
    ],
    [
      'past its deadline',
      deployment(1, { ...starting, conditions: [{ type: 'Progressing', status: 'False', message: 'has timed out' }] }),
      [],
      'False',
      'Stuck',
      /timed out/,
    ],
    [
      'no node',
      deployment(1, starting),
      [pod({ conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }] })],
      'False',
      'Unschedulable',
      /t1-x finds no node: 0\/3/,
    ],
    [
      'image not there',
      deployment(1, starting),
      [
        pod({
          containerStatuses: [
            container('kube-scheduler', { state: { waiting: { reason: 'ContainerCreating' } } }),
            container('kube-apiserver', { state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } }),
          ],
        }),
      ],
      'False',
      'ContainerFailing',
      /container kube-apiserver of pod t1-x is in ImagePullBackOff: not found/,
    ],
    [
      'crashing',
      deployment(1, starting),
      [
        pod({
          containerStatuses: [
            container('kube-apiserver', {
              state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
              lastState: { terminated: { reason: 'Error', exitCode: 1 } },
              restartCount: 3,
            }),
          ],
        }),
      ],
      'False',
      'ContainerFailing',
      /CrashLoopBackOff: back-off; it ended with Error \(exit code 1\)/,
    ],
    [
      'restarted and not ready',
      deployment(1, starting),
      [
        pod({
          containerStatuses: [
            container('kube-apiserver', { state: {}, lastState: { terminated: { exitCode: 137 } }, restartCount: 2 }),
          ],
        }),
      ],
      'False',
      'ContainerFailing',
      /was restarted 2 times; it ended with Error \(exit code 137\)/,
    ],
    [
      'an ordinary start',
      deployment(1, starting),
      [
        pod({
          initContainerStatuses: [container('init', { state: { terminated: { exitCode: 0 } } })],
          containerStatuses: [container('kube-apiserver', { state: {} }), { name: 'kube-scheduler', ready: true }],
        }),
      ],
      'False',
      'ContainersStarting',
      /pod t1-x waits for kube-apiserver$/,
    ],
    [
      'a pod on its way out does not count',
      deployment(1, starting),
      [
        pod(
          { containerStatuses: [container('a', { state: { waiting: { reason: 'CrashLoopBackOff' } } })] },
          { deletionTimestamp: '2030-01-01T00:00:00Z' },
        ),
      ],
      'False',
      'Progressing',
      /0 of 1/,
    ],
    [
      'serves, but its successor does not come up',
      deployment(2, { ...rolledOut, replicas: 4 }),
      [pod({ containerStatuses: [container('kube-apiserver', { state: { waiting: { reason: 'ErrImagePull' } } })] })],
      'True',
      'Progressing',
      /2 pods are available.*kube-apiserver of pod t1-x is in ErrImagePull/,
    ],
  ])('%s', (_name, live, pods, status, reason, message) => {
    const condition = deploymentReadiness(live, pods);
    expect(condition).toMatchObject({ type: 'ControlPlaneAvailable', status, reason });
    expect(condition.message).toMatch(message);
  });
});
