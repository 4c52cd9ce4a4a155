/** The objects that the cases send. */

/** Of the same length, so that messages which cut a text off cut it off at the same place. */
export const PRODUCT_GROUP = 'kamaji.io';
export const TWIN_GROUP = 'twinji.io';
/** In front of either group: kinds whose schema has one of everything. */
export const RICH_PREFIX = 'rich.';

export const TENANTS = '/apis/$G/v1alpha1/namespaces/$NS/tenantcontrolplanes';
export const TENANT = `${TENANTS}/$NAME`;
export const ALL_TENANTS = '/apis/$G/v1alpha1/tenantcontrolplanes';
export const STORES = '/apis/$G/v1alpha1/datastores';
export const STORE = `${STORES}/$NAME`;
export const SAMPLES = '/apis/$R/v1/namespaces/$NS/samples';
export const SAMPLE = `${SAMPLES}/$NAME`;
export const PLAINS = '/apis/$R/v1/plains';
export const PLAIN = `${PLAINS}/$NAME`;

export type Json = Readonly<Record<string, unknown>>;

/** Everything is spelt out that the product would compute or look up, so that none of its own rules has a say. */
export const tenantSpec: Json = {
  dataStore: 'default',
  controlPlane: { deployment: { replicas: 1 }, service: { serviceType: 'ClusterIP' } },
  kubernetes: { version: 'v1.36.1' },
  networkProfile: {
    serviceCidr: '10.96.0.0/16',
    serviceCidrs: ['10.96.0.0/16'],
    podCidr: '10.244.0.0/16',
    podCidrs: ['10.244.0.0/16'],
    dnsServiceIPs: ['10.96.0.10'],
  },
};

/** `metadata` and `spec` are laid over those of the smallest tenant. */
export function tenant(metadata: Json = {}, spec: Json = {}, more: Json = {}): Json {
  return {
    apiVersion: '$G/v1alpha1',
    kind: 'TenantControlPlane',
    metadata: { name: '$NAME', ...metadata },
    spec: { ...tenantSpec, ...spec },
    ...more,
  };
}

export function store(metadata: Json = {}, spec: Json = {}, more: Json = {}): Json {
  const key = (keyPath: string): Json => ({ secretReference: { name: 'etcd', namespace: 'kamaji-system', keyPath } });
  return {
    apiVersion: '$G/v1alpha1',
    kind: 'DataStore',
    metadata: { name: '$NAME', ...metadata },
    spec: {
      driver: 'etcd',
      endpoints: ['etcd.kamaji-system.svc:2379'],
      tlsConfig: {
        certificateAuthority: { certificate: key('ca.crt'), privateKey: key('ca.key') },
        clientCertificate: { certificate: key('tls.crt'), privateKey: key('tls.key') },
      },
      ...spec,
    },
    ...more,
  };
}

export function sample(metadata: Json = {}, spec: Json = {}, more: Json = {}): Json {
  return { apiVersion: '$R/v1', kind: 'Sample', metadata: { name: '$NAME', ...metadata }, spec, ...more };
}

export function plain(metadata: Json = {}, more: Json = {}): Json {
  return { apiVersion: '$R/v1', kind: 'Plain', metadata: { name: '$NAME', ...metadata }, ...more };
}

export function scale(metadata: Json = {}, spec: Json = { replicas: 2 }): Json {
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: '$NAME', namespace: '$NS', ...metadata },
    spec,
  };
}
