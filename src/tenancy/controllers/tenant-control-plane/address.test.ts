import { describe, expect, it } from 'vitest';
import { tenantFixture } from '../../../../test/env/tenant.ts';
import { resolveAddress } from './address.ts';
import type { LiveService } from './facts.ts';

const service = (clusterIP?: string, ingress?: readonly object[]): LiveService => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 't1', namespace: 'team-a' },
  spec: clusterIP === undefined ? {} : { clusterIP },
  ...(ingress === undefined ? {} : { status: { loadBalancer: { ingress } } }),
});
const tenant = (serviceType: string, address?: string) =>
  tenantFixture({
    controlPlane: { service: { serviceType } },
    networkProfile: { port: 7443, ...(address === undefined ? {} : { address }) },
  });

describe('the address of a tenant', () => {
  it.each<[string, string, string | undefined, LiveService, string]>([
    ['the clusterIP', 'ClusterIP', undefined, service('10.96.0.7'), '10.96.0.7'],
    ['an IPv6 clusterIP', 'ClusterIP', undefined, service('fd00::7'), 'fd00::7'],
    ['what the spec says, before all else', 'ClusterIP', '192.0.2.1', service('10.96.0.7'), '192.0.2.1'],
    ['what the spec says of nodes', 'NodePort', 'node.example', service('10.96.0.7'), 'node.example'],
    [
      'the IP of a load balancer',
      'LoadBalancer',
      undefined,
      service('10.96.0.7', [{ ip: '198.51.100.1' }]),
      '198.51.100.1',
    ],
    ['its host name', 'LoadBalancer', undefined, service('10.96.0.7', [{ hostname: 'lb.example' }]), 'lb.example'],
    [
      'its IP before its host name',
      'LoadBalancer',
      undefined,
      service('10.96.0.7', [{ ip: '198.51.100.1', hostname: 'lb.example' }]),
      '198.51.100.1',
    ],
    ['what the spec says of a load balancer', 'LoadBalancer', '192.0.2.1', service('10.96.0.7'), '192.0.2.1'],
  ])('is %s', (_what, type, address, live, host) => {
    const { clusterIP: clusterIp } = live.spec;
    expect(resolveAddress(tenant(type, address), live)).toEqual({ endpoint: { host, port: 7443, clusterIp } });
  });

  it.each<[string, LiveService, string]>([
    ['ClusterIP', service(), 'WaitingForClusterIP'],
    ['ClusterIP', service('None'), 'WaitingForClusterIP'],
    ['LoadBalancer', service('10.96.0.7'), 'WaitingForLoadBalancer'],
    ['LoadBalancer', service('10.96.0.7', []), 'WaitingForLoadBalancer'],
    ['LoadBalancer', service('10.96.0.7', [{}]), 'WaitingForLoadBalancer'],
    ['LoadBalancer', service('10.96.0.7', [{ ip: '' }]), 'WaitingForLoadBalancer'],
    ['NodePort', service('10.96.0.7'), 'AddressRequired'],
  ])('of a %s Service is waited for while there is none', (type, live, reason) => {
    expect(resolveAddress(tenant(type), live)).toMatchObject({ missing: { reason } });
  });

  it('is that of the load balancer though one of its fields is empty', () => {
    const live = service('10.96.0.7', [{ ip: '', hostname: 'lb.example' }]);
    expect(resolveAddress(tenant('LoadBalancer'), live)).toMatchObject({ endpoint: { host: 'lb.example' } });
  });
});
