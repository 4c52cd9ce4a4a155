import { setOwn } from '../../src/apimachinery/json.ts';
import type { Json } from '../../src/apimachinery/object.ts';
import type { CertificateAndKey } from '../../src/pki/certificate-and-key.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { defaultTenantControlPlane } from '../../src/tenancy/api/tenant-control-plane-defaults.ts';
import type { TenantInput } from '../../src/tenancy/provisioning/tenant-input.ts';

/** A defaulted tenant `t1` with all add-ons. `changes` sets single fields: `{ 'spec.kubernetes.version': 'v1.30.0' }`. */
export function sampleTenant(changes: Readonly<Record<string, Json>> = {}): TenantControlPlane {
  const tenant = {
    apiVersion: 'kamaji.io/v1alpha1',
    kind: 'TenantControlPlane',
    metadata: { name: 't1', namespace: 'default', uid: '90bb5df5-8322-40c5-bfb8-e4077dc62706', generation: 1 },
    spec: {
      dataStore: 'default',
      controlPlane: { deployment: { replicas: 1 }, service: { serviceType: 'ClusterIP' } },
      kubernetes: { version: 'v1.36.3', kubelet: {} },
      networkProfile: { port: 6443 },
      addons: { coreDNS: {}, kubeProxy: {} },
    },
  };
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    let parent: object = tenant;
    for (const key of keys.slice(0, -1)) {
      if (!Object.hasOwn(parent, key)) setOwn(parent, key, {});
      parent = (parent as Record<string, object>)[key]!;
    }
    setOwn(parent, keys.at(-1)!, value);
  }
  return defaultTenantControlPlane(tenant);
}

/** Texts in place of certificates: enough for descriptions that pass them on. */
export function sampleInput(
  changes?: Readonly<Record<string, Json>>,
  endpoint: Partial<TenantInput['endpoint']> = {},
): TenantInput {
  const pair = (name: string): CertificateAndKey => ({ certificate: `${name} certificate\n`, key: `${name} key\n` });
  return {
    tenant: sampleTenant(changes),
    endpoint: { host: '192.0.2.10', port: 6443, clusterIp: '10.96.178.108', ...endpoint },
    storage: {
      dataStoreName: 'default',
      driver: 'etcd',
      endpoints: ['etcd.kamaji-system.svc:2379'],
      schema: 'default_t1',
      username: 'default_t1',
    },
    pki: {
      ca: pair('ca'),
      frontProxyCa: pair('front-proxy-ca'),
      serviceAccount: { publicKey: 'sa public key\n', privateKey: 'sa private key\n' },
      apiServer: pair('apiserver'),
      apiServerKubeletClient: pair('apiserver-kubelet-client'),
      frontProxyClient: pair('front-proxy-client'),
      dataStoreClient: { ...pair('datastore'), caCertificate: 'datastore ca certificate\n' },
      admin: pair('admin'),
      superAdmin: pair('super-admin'),
      controllerManager: pair('controller-manager'),
      scheduler: pair('scheduler'),
      konnectivityServer: pair('konnectivity-server'),
    },
  };
}
