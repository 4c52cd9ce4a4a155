import { expect, test } from 'vitest';
import type { JsonObject } from '../../../apimachinery/object.ts';
import { tenantClaims } from './claims.ts';
import { loadBalancer, nodePort, tenant } from './tenant-sample.ts';

const names = (dataStore: string, name: string, username = name) => [
  `schema/${dataStore}/${name} spec.dataStoreSchema ${name}`,
  `username/${dataStore}/${username} spec.dataStoreUsername ${username}`,
];

// prettier-ignore
const cases: readonly (readonly [string, JsonObject, readonly string[]])[] = [
  ['a tenant without data store claims nothing', {}, []],
  ['names that were chosen', { dataStore: 'a', dataStoreSchema: 's', dataStoreUsername: 'u' }, names('a', 's', 'u')],
  ['names that follow from the UID', { dataStore: 'a' }, names('a', 'uid-1')],
  ['names in every data store', { dataStore: 'a', dataStoreOverrides: [{ resource: '/events', dataStore: 'b' }, { resource: '/pods', dataStore: 'a' }] }, [...names('a', 'uid-1'), ...names('b', 'uid-1')]],
  ['a load balancer without address', loadBalancer({}), []],
  ['a load balancer with address', loadBalancer({ address: '192.0.2.1' }), [
    'endpoint/192.0.2.1/6443 spec.networkProfile.port 192.0.2.1:6443',
    'endpoint/192.0.2.1/8132 spec.addons.konnectivity.server.port 192.0.2.1:8132',
  ]],
  ['one text for one address', { ...loadBalancer({ address: 'FD00:0::1' }), addons: { konnectivity: { enabled: false } } }, ['endpoint/fd00%3A%3A1/6443 spec.networkProfile.port FD00:0::1:6443']],
  ['node ports', nodePort({ address: 'node', port: 30000 }), [
    'endpoint/node/30000 spec.networkProfile.port node:30000',
    'nodeport/30000 spec.networkProfile.port 30000',
    'endpoint/node/30001 spec.addons.konnectivity.server.port node:30001',
    'nodeport/30001 spec.addons.konnectivity.server.port 30001',
  ]],
  ['the address of a ClusterIP Service', { networkProfile: { address: '192.0.2.1' } }, []],
  ['an Ingress', { controlPlane: { ingress: { hostname: 'a.example.org:443', ingressClassName: 'n' } } }, ['hostname/a.example.org/n spec.controlPlane.ingress.hostname a.example.org']],
  ['a route', { controlPlane: { gateway: { hostname: 'a.example.org', parentRefs: [{ name: 'g' }] } } }, ['route/a.example.org spec.controlPlane.gateway.hostname a.example.org']],
];

test.each(cases)('%s', (_, spec, expected) => {
  expect(tenantClaims(tenant(spec)).map(({ key, field, value }) => `${key} ${field} ${value}`)).toEqual(expected);
});

test('a tenant cannot take the keys that another one has by its UID', () => {
  const victim = tenantClaims(tenant({ dataStore: 'a' }, { uid: 'victim' })).map((claim) => claim.key);
  const thief = tenantClaims(tenant({ dataStore: 'a', dataStoreSchema: 'victim' }, { uid: 'thief' }));
  expect(thief.filter((claim) => victim.includes(claim.key)).map((claim) => claim.field)).toEqual([
    'spec.dataStoreSchema',
  ]);
});

test('a slash in a name does not make one key out of two', () => {
  const keys = (dataStore: string, dataStoreSchema: string) =>
    tenantClaims(tenant({ dataStore, dataStoreSchema }))[0]?.key;
  expect(keys('a/b', 'c')).not.toBe(keys('a', 'b/c'));
});
