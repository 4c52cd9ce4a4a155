import { describe, expect, it } from 'vitest';
import { tenantInputFixture } from '../../../test/env/tenant.ts';
import { advertiseAddress } from './advertise-address.ts';
import { apiServerNames } from './api-server-names.ts';
import { konnectivityVersion } from './versions.ts';

const endpoint = (host: string, clusterIp = '10.96.178.108') => ({ endpoint: { host, port: 6443, clusterIp } });

describe('names of the API server', () => {
  it('are kubeadm’s, those of the Service, and what the spec names', () => {
    const input = tenantInputFixture(
      {
        networkProfile: {
          clusterDomain: 'tenant.example',
          serviceCidrs: ['10.97.0.250/16', 'fd00:97::/112'],
          address: '198.51.100.7',
          advertiseAddress: '198.51.100.8',
          certSANs: ['Extra.Example', '*.wild.example', '203.0.113.1'],
        },
        controlPlane: { ingress: { hostname: 'ingress.example:8443' }, gateway: { hostname: 'gateway.example' } },
      },
      endpoint('lb.example'),
    );
    expect(apiServerNames(input)).toEqual({
      dnsNames: [
        '*.wild.example',
        'extra.example',
        'gateway.example',
        'ingress.example',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.tenant.example',
        'lb.example',
        'localhost',
        't1',
        't1.team-a',
        't1.team-a.svc',
        't1.team-a.svc.cluster.local',
        't1.team-a.svc.tenant.example',
      ],
      ipAddresses: [
        '10.96.178.108',
        '10.97.0.1',
        '127.0.0.1',
        '198.51.100.7',
        '198.51.100.8',
        '203.0.113.1',
        'fd00:97::1',
      ],
    });
  });

  it('take no headless Service for a name', () => {
    expect(apiServerNames(tenantInputFixture({}, endpoint('192.0.2.10', 'None'))).dnsNames).not.toContain('none');
  });
});

describe('the advertised address', () => {
  it.each([
    [
      'the one of the spec',
      { networkProfile: { advertiseAddress: '198.51.100.8' } },
      '192.0.2.10',
      undefined,
      '198.51.100.8',
    ],
    ['the endpoint', {}, '192.0.2.10', undefined, '192.0.2.10'],
    ['the clusterIP behind a host name', {}, 'lb.example', undefined, '10.96.178.108'],
    ['nothing', {}, 'lb.example', 'None', undefined],
  ])('is %s', (_name, spec, host, clusterIp, expected) => {
    expect(advertiseAddress(tenantInputFixture(spec, endpoint(host, clusterIp)))).toBe(expected);
  });
});

it.each([
  ['v1.30.4', 'v0.30.0'],
  ['1.34.0', 'v0.34.0'],
  ['v1.35.4', 'v0.34.0'],
  ['v1.36.3', 'v0.36.0'],
  ['v1.40.0-rc.1', 'v0.36.0'],
  ['v1.20.0', 'v0.28.0'],
])('Kubernetes %s goes with konnectivity %s', (kubernetes, konnectivity) => {
  expect(konnectivityVersion(kubernetes)).toBe(konnectivity);
});
