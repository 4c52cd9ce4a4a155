import type { CertificateAndKey } from '../../src/pki/certificate-and-key.ts';
import { defaultTenantControlPlane } from '../../src/tenancy/api/tenant-control-plane-defaults.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import type { TenantInput, TenantPki } from '../../src/tenancy/provisioning/tenant-input.ts';

/** A defaulted tenant `t1` in namespace `team-a`; `spec` is merged over the smallest one, object by object. */
export function tenantFixture(spec: object = {}): TenantControlPlane {
  return defaultTenantControlPlane({
    apiVersion: 'kamaji.io/v1alpha1',
    kind: 'TenantControlPlane',
    metadata: { name: 't1', namespace: 'team-a', uid: '7d3b6a0e-51e4-4e4e-9f0c-0a5b8c1d2e3f', generation: 1 },
    spec: merge({ controlPlane: { service: { serviceType: 'ClusterIP' } }, kubernetes: { version: 'v1.36.1' } }, spec),
  });
}

/** Texts in the place of certificates, so that what is made of them can be compared. */
export function pkiFixture(): TenantPki {
  const pair = (name: string): CertificateAndKey => ({ certificate: `${name} certificate`, key: `${name} key` });
  return {
    ca: pair('ca'),
    frontProxyCa: pair('front-proxy-ca'),
    serviceAccount: { publicKey: 'sa public key', privateKey: 'sa private key' },
    apiServer: pair('apiserver'),
    apiServerKubeletClient: pair('apiserver-kubelet-client'),
    frontProxyClient: pair('front-proxy-client'),
    dataStoreClient: { ...pair('data store client'), caCertificate: 'data store ca certificate' },
    admin: pair('admin'),
    superAdmin: pair('super-admin'),
    controllerManager: pair('controller-manager'),
    scheduler: pair('scheduler'),
    konnectivityServer: pair('konnectivity-server'),
  };
}

/** All that the descriptions of a tenant are computed from, with fixed texts for secrets. */
export function tenantInputFixture(spec: object = {}, overrides: Partial<TenantInput> = {}): TenantInput {
  return {
    tenant: tenantFixture(spec),
    endpoint: { host: '192.0.2.10', port: 6443, clusterIp: '10.96.178.108' },
    storage: {
      dataStoreName: 'default',
      driver: 'etcd',
      endpoints: ['etcd-0.etcd.kamaji-system.svc:2379', 'etcd-1.etcd.kamaji-system.svc:2379'],
      schema: 'team-a_t1',
      username: 'team-a_t1',
    },
    pki: pkiFixture(),
    ...overrides,
  };
}

function merge(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = key in base ? merge(base[key], value) : value;
  return merged;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
