import { describe, expect, it } from 'vitest';
import { tenantFixture } from '../../../../test/env/tenant.ts';
import type { JsonObject } from '../../../apimachinery/object.ts';
import { ProvisioningError } from '../provisioning-error.ts';
import { kubeletConfiguration } from './kubelet-configuration.ts';

function configured(kubelet: object, networkProfile: object = {}): JsonObject {
  return kubeletConfiguration(tenantFixture({ kubernetes: { kubelet }, networkProfile }));
}

const patched = (...configurationJSONPatches: object[]): JsonObject => configured({ configurationJSONPatches });

describe('kubeletConfiguration', () => {
  it('tells the kubelets the DNS addresses and the domain of the tenant', () => {
    const profile = {
      dnsServiceIPs: ['10.96.0.11', '10.96.0.12'],
      clusterDomain: 'tenant.example.org',
    };
    expect(configured({}, profile)).toMatchObject({
      clusterDNS: ['10.96.0.11', '10.96.0.12'],
      clusterDomain: 'tenant.example.org',
    });
  });

  it('says nothing of what the node or its version decides', () => {
    const text = JSON.stringify(configured({}));
    for (const word of [
      'cgroupDriver',
      'resolvConf',
      'containerRuntimeEndpoint',
      'failCgroupV1',
      'imagePullCredentials',
    ]) {
      expect(text).not.toContain(word);
    }
  });

  it('names the cgroup driver when it is asked to', () => {
    expect(configured({ cgroupfs: 'cgroupfs' })).toMatchObject({ cgroupDriver: 'cgroupfs' });
  });

  it('applies patches one after another', () => {
    const result = patched(
      { op: 'replace', path: '/maxPods', value: 50 },
      { op: 'add', path: '/featureGates', value: { A: true } },
      { op: 'add', path: '/featureGates/B', value: false },
      { op: 'remove', path: '/staticPodPath' },
      { op: 'test', path: '/maxPods', value: 50 },
      { op: 'copy', from: '/maxPods', path: '/podsPerCore' },
      { op: 'move', from: '/podsPerCore', path: '/kubeAPIBurst' },
      { op: 'add', path: '/clusterDNS/-', value: '10.96.0.99' },
      { op: 'add', path: '/crashLoopBackOff/maxContainerRestartPeriod', value: '1m' },
      { op: 'add', path: '/failCgroupV1', value: false },
    );
    expect(result).toMatchObject({
      maxPods: 50,
      featureGates: { A: true, B: false },
      kubeAPIBurst: 50,
      clusterDNS: ['10.96.0.10', '10.96.0.99'],
      failCgroupV1: false,
    });
    expect(result).not.toHaveProperty('staticPodPath');
    expect(patched()).toMatchObject({ maxPods: 110, clusterDNS: ['10.96.0.10'] });
  });

  it.each([
    [{ op: 'replace', path: '/noSuchList/0', value: 1 }, 'replace "/noSuchList/0" failed'],
    [{ op: 'remove', path: '/noSuchField' }, 'remove "/noSuchField" failed'],
    [{ op: 'add', path: '/no/such/parent', value: 1 }, 'add "/no/such/parent" failed'],
    [{ op: 'test', path: '/maxPods', value: 1 }, 'test "/maxPods" failed'],
    [{ op: 'add', path: 'maxPods', value: 1 }, 'add "maxPods" failed'],
    [{ op: 'replace', path: '/kind', value: 'Pod' }, 'is no KubeletConfiguration'],
    [{ op: 'remove', path: '/apiVersion' }, 'is no KubeletConfiguration'],
    [{ op: 'replace', path: '', value: [] }, 'is no KubeletConfiguration'],
    [{ op: 'add', path: '/__proto__/polluted', value: true }, 'failed'],
  ])('refuses %j and says which it was', (patch, text) => {
    const attempt = (): unknown => patched({ op: 'replace', path: '/maxPods', value: 50 }, patch);
    expect(attempt).toThrow(ProvisioningError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'KubeletPatchFailed' }));
    expect(attempt).toThrow(/^spec\.kubernetes\.kubelet\.configurationJSONPatches\[1\]: /);
    expect(attempt).toThrow(text);
    expect({}).not.toHaveProperty('polluted');
  });
});
