import type { KubeObject } from '../../src/apimachinery/object.ts';

/** Objects of our API as users write them, for tests that speak HTTP. */

const secretKey = (keyPath: string): object => ({
  secretReference: { name: 'etcd', namespace: 'kamaji-system', keyPath },
});

/** A DataStore that nobody looks into. */
export function dataStoreObject(name: string, spec: object = {}): KubeObject & { readonly spec: object } {
  return {
    apiVersion: 'kamaji.io/v1alpha1',
    kind: 'DataStore',
    metadata: { name },
    spec: {
      driver: 'etcd',
      endpoints: ['etcd.kamaji-system.svc:2379'],
      tlsConfig: {
        certificateAuthority: { certificate: secretKey('ca.crt'), privateKey: secretKey('ca.key') },
        clientCertificate: { certificate: secretKey('tls.crt'), privateKey: secretKey('tls.key') },
      },
      ...spec,
    },
  };
}

/** The smallest tenant in the DataStore `default`; the parts of `spec` replace those of it. */
export function tenantObject(
  name: string,
  spec: object = {},
  metadata: object = {},
): KubeObject & { readonly spec: object } {
  return {
    apiVersion: 'kamaji.io/v1alpha1',
    kind: 'TenantControlPlane',
    metadata: { name, namespace: 'default', ...metadata },
    spec: {
      dataStore: 'default',
      controlPlane: { deployment: { replicas: 1 }, service: { serviceType: 'ClusterIP' } },
      kubernetes: { version: 'v1.36.1' },
      ...spec,
    },
  };
}
