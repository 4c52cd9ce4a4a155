import { expect, test } from 'vitest';
import { defaultTenantControlPlane } from './tenant-control-plane-defaults.ts';

function specOf(networkProfile?: unknown) {
  return defaultTenantControlPlane({
    apiVersion: 'kamaji.io/v1alpha1',
    kind: 'TenantControlPlane',
    metadata: { name: 't1', namespace: 'default' },
    spec: {
      controlPlane: { service: { serviceType: 'ClusterIP' } },
      kubernetes: { version: 'v1.36.1' },
      ...(networkProfile === undefined ? {} : { networkProfile }),
    },
  }).spec;
}

test('the smallest object gets everything that a control plane needs', () => {
  expect(specOf()).toEqual({
    controlPlane: {
      service: { serviceType: 'ClusterIP' },
      deployment: {
        replicas: 2,
        registrySettings: {
          registry: 'registry.k8s.io',
          apiServerImage: 'kube-apiserver',
          controllerManagerImage: 'kube-controller-manager',
          schedulerImage: 'kube-scheduler',
        },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '100%' } },
        serviceAccountName: 'default',
      },
    },
    kubernetes: {
      version: 'v1.36.1',
      admissionControllers: expect.arrayContaining(['NodeRestriction', 'NamespaceLifecycle', 'ResourceQuota']),
      kubelet: { preferredAddressTypes: ['InternalIP', 'ExternalIP', 'Hostname'] },
      encryptionAlgorithm: 'ECDSA-P256',
    },
    networkProfile: {
      port: 6443,
      clusterDomain: 'cluster.local',
      serviceCidr: '10.96.0.0/16',
      serviceCidrs: ['10.96.0.0/16'],
      podCidr: '10.244.0.0/16',
      podCidrs: ['10.244.0.0/16'],
      dnsServiceIPs: ['10.96.0.10'],
    },
    addons: {
      konnectivity: {
        enabled: true,
        server: { port: 8132, image: 'registry.k8s.io/kas-network-proxy/proxy-server' },
        agent: {
          image: 'registry.k8s.io/kas-network-proxy/proxy-agent',
          mode: 'DaemonSet',
          hostNetwork: false,
          tolerations: [{ key: 'CriticalAddonsOnly', operator: 'Exists' }],
        },
      },
    },
  });
});

test.each([
  [{ serviceCidr: '10.1.0.0/16' }, { serviceCidrs: ['10.1.0.0/16'], dnsServiceIPs: ['10.1.0.10'] }],
  [
    { serviceCidr: '', serviceCidrs: [] },
    { serviceCidr: '10.96.0.0/16', serviceCidrs: ['10.96.0.0/16'] },
  ],
  [{ serviceCidrs: ['10.1.0.0/16'] }, { serviceCidr: '10.1.0.0/16', dnsServiceIPs: ['10.1.0.10'] }],
  [
    { serviceCidrs: ['10.1.0.0/16', 'fd00:1::/108'] },
    { serviceCidr: '10.1.0.0/16', dnsServiceIPs: ['10.1.0.10', 'fd00:1::10'] },
  ],
  [{ serviceCidr: '10.96.0.250/16' }, { dnsServiceIPs: ['10.96.0.10'] }],
  [{ serviceCidr: '10.96.1.252/22' }, { dnsServiceIPs: ['10.96.0.10'] }],
  [{ dnsServiceIPs: ['10.96.0.99'] }, { dnsServiceIPs: ['10.96.0.99'] }],
  [{ podCidrs: ['10.9.0.0/16', 'fd01::/48'] }, { podCidr: '10.9.0.0/16', podCidrs: ['10.9.0.0/16', 'fd01::/48'] }],
  [{ serviceCidr: 'nonsense' }, { serviceCidrs: ['nonsense'], dnsServiceIPs: [] }],
])('%j gives %j', (given, expected) => expect(specOf(given).networkProfile).toMatchObject(expected));

test.each([
  undefined,
  null,
  1,
  'x',
  [],
  {},
  { spec: null },
  { spec: [] },
  { spec: { networkProfile: 'x' } },
  { spec: { networkProfile: { serviceCidrs: 'x', podCidrs: { a: 1 }, dnsServiceIPs: 7 } } },
  { spec: { networkProfile: { serviceCidrs: [null, {}, 3], serviceCidr: {} } } },
])('an object of any other shape is left to validation: %j', (object) => {
  expect(() => defaultTenantControlPlane(object)).not.toThrow();
});

test('defaulting twice changes nothing more', () => {
  const once = defaultTenantControlPlane({
    spec: { kubernetes: { version: '1.36.0' }, controlPlane: { service: {} } },
  });
  expect(defaultTenantControlPlane(once)).toBe(once);
});
