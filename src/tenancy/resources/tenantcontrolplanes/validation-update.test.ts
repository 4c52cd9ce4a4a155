import { expect, test } from 'vitest';
import { formatFieldError } from '../../../apimachinery/field-error.ts';
import type { JsonObject } from '../../../apimachinery/object.ts';
import { deployment, loadBalancer, network, tenant } from './tenant-sample.ts';
import { validateTenantControlPlaneUpdate } from './validation.ts';

const installed = (version: string): JsonObject => ({ kubernetesResources: { version: { version } } });

// prettier-ignore
const versions: readonly (readonly [string, string, string | undefined, string | undefined])[] = [
  ['v1.35.2', 'v1.35.2', undefined, undefined],
  ['v1.35.2', '1.35.3', undefined, undefined],
  ['v1.35.2', 'v1.36.0', undefined, undefined],
  ['v1.35.2', 'v1.35.1', undefined, 'Forbidden: going down from v1.35.2 to v1.35.1 is not possible'],
  ['v1.35.2', 'v1.34.9', 'v1.35.2', 'Forbidden: going down from v1.35.2 to v1.34.9 is not possible'],
  ['v1.36.0', 'v1.36.0-rc.1', undefined, 'Forbidden: going down from v1.36.0 to v1.36.0-rc.1 is not possible'],
  ['v1.33.0', 'v1.35.0', undefined, 'Forbidden: going up from v1.33.0 to v1.35.0 is not possible: minor versions cannot be skipped, v1.34 comes first'],
  ['v1.34.0', 'v1.35.0', 'v1.33.5', 'Forbidden: going up from v1.33.5 to v1.35.0 is not possible: minor versions cannot be skipped, v1.34 comes first'],
  ['v1.36.0', 'v1.37.0', undefined, 'Invalid value: "v1.37.0": the newest supported version is v1.36'],
  ['v1.35.99', 'v1.35.3', 'v1.35.2', undefined],
  ['v1.35.99', 'v1.35.1', 'v1.35.2', 'Forbidden: going down from v1.35.2 to v1.35.1 is not possible'],
  ['v1.36.99', 'v1.35.2', 'v1.35.2', 'Forbidden: going down from v1.36.99 to v1.35.2 is not possible'],
  ['v1.36.99', 'v1.36.1', 'v1.35.2', undefined],
];

test.each(versions)('version %s to %s with %s installed', (from, to, running, message) => {
  const old = tenant({ kubernetes: { version: from } }, {}, running === undefined ? undefined : installed(running));
  const errors = validateTenantControlPlaneUpdate(tenant({ kubernetes: { version: to } }), old);
  expect(errors.map((error) => error.message)).toEqual(message === undefined ? [] : [message]);
  expect(errors.every((error) => error.field === 'spec.kubernetes.version')).toBe(true);
});

// prettier-ignore
const changes: readonly (readonly [string, JsonObject, JsonObject, readonly string[]])[] = [
  ['service CIDR', {}, network({ serviceCidr: '10.97.0.0/16' }), ['spec.networkProfile.serviceCidrs: Forbidden: cannot be changed, it is ["10.96.0.0/16"]', 'spec.networkProfile.serviceCidr: Forbidden: cannot be changed, it is "10.96.0.0/16"']],
  ['pod CIDRs', {}, network({ podCidrs: ['10.244.0.0/16', 'fd00::/56'] }), ['spec.networkProfile.podCidrs: Forbidden: cannot be changed, it is ["10.244.0.0/16"]']],
  ['domain', {}, network({ clusterDomain: 'a.local' }), ['spec.networkProfile.clusterDomain: Forbidden: cannot be changed, it is "cluster.local"']],
  ['algorithm', {}, { kubernetes: { encryptionAlgorithm: 'RSA-2048' } }, ['spec.kubernetes.encryptionAlgorithm: Forbidden: cannot be changed, it is "ECDSA-P256"']],
  ['schema', { dataStoreSchema: 'a' }, { dataStoreSchema: 'b' }, ['spec.dataStoreSchema: Forbidden: cannot be changed, the tenant uses a']],
  ['schema taken away', { dataStoreSchema: 'a' }, {}, ['spec.dataStoreSchema: Forbidden: cannot be changed, the tenant uses a']],
  ['schema set late', {}, { dataStoreSchema: 'a' }, ['spec.dataStoreSchema: Forbidden: cannot be changed, the tenant uses uid-1']],
  ['schema set late to what it is', {}, { dataStoreSchema: 'uid-1' }, []],
  ['user', { dataStoreUsername: 'a' }, { dataStoreUsername: 'b' }, ['spec.dataStoreUsername: Forbidden: cannot be changed, the tenant uses a']],
  ['data store taken away', { dataStore: 'a' }, {}, ['spec.dataStore: Forbidden: cannot be unset, the objects of the tenant are in a']],
  ['class', loadBalancer({ loadBalancerClass: 'a/b' }), loadBalancer({ loadBalancerClass: 'c/d' }), ['spec.networkProfile.loadBalancerClass: Forbidden: cannot be changed while serviceType is LoadBalancer, it is "a/b"']],
  ['class set late', loadBalancer({}), loadBalancer({ loadBalancerClass: 'a/b' }), ['spec.networkProfile.loadBalancerClass: Forbidden: cannot be changed while serviceType is LoadBalancer, it is unset']],
  ['class on becoming a load balancer', {}, loadBalancer({ loadBalancerClass: 'a/b' }), []],
  ['port', {}, network({ port: 7443 }), []],
  ['replicas', {}, deployment({ replicas: 0 }), []],
  ['DNS, checked on the new object', {}, network({ dnsServiceIPs: ['192.168.1.1'] }), ['spec.networkProfile.dnsServiceIPs[0]: Invalid value: "192.168.1.1": must be in a service CIDR (10.96.0.0/16)']],
];

test.each(changes)('change of %s', (_, from, to, expected) => {
  expect(validateTenantControlPlaneUpdate(tenant(to), tenant(from)).map(formatFieldError)).toEqual(expected);
});

test('no rule stands between an invalid object and its deletion', () => {
  const invalid = network({ dnsServiceIPs: ['192.168.1.1'], port: 10257 });
  const old = tenant(invalid, { finalizers: ['a'] });
  expect(validateTenantControlPlaneUpdate(tenant(invalid), old)).toEqual([]);
  const leaving = tenant(
    { ...invalid, kubernetes: { version: 'v1.99.0' } },
    { deletionTimestamp: '2026-01-02T03:04:05Z' },
  );
  expect(validateTenantControlPlaneUpdate(leaving, old)).toEqual([]);
});

test('an object on its way out still cannot point at the keys of another one', () => {
  const leaving = tenant({ dataStoreSchema: 'b' }, { deletionTimestamp: '2026-01-02T03:04:05Z' });
  expect(
    validateTenantControlPlaneUpdate(leaving, tenant({ dataStoreSchema: 'a' })).map((error) => error.field),
  ).toEqual(['spec.dataStoreSchema']);
});
