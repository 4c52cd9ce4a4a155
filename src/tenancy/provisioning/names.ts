/** Names, labels and keys of everything made for a tenant: a contract that other tools read, so they change never. */

export const LABEL_PROJECT = 'kamaji.io/project';
export const LABEL_NAME = 'kamaji.io/name';
export const LABEL_COMPONENT = 'kamaji.io/component';
/** Which of our components made an object; `kamaji.io/component` says what the object is, for people and other tools. */
export const LABEL_PART = 'kamaji.io/part';
export const PROJECT = 'kamaji';
/** On Secrets whose certificates are renewed; the value tells where they are: `x509` or `kubeconfig`. */
export const LABEL_CERTIFICATE_LIFECYCLE = 'kamaji.io/certificate_lifecycle_controller';
/** On Secrets that nothing could make again; the guard of the admin cluster refuses to lose them. */
export const LABEL_IRREPLACEABLE = 'kamaji.io/irreplaceable';
/** Content hash (SHA-256, hex) of a Secret or ConfigMap that we made. */
export const ANNOTATION_CHECKSUM = 'kamaji.io/checksum';
/** Presence, whatever the value, stops reconciliation of the object that carries it. */
export const ANNOTATION_PAUSED = 'kamaji.io/paused';
/** On a certificate Secret: an empty value asks for a new certificate; afterwards it holds the time of the rotation. */
export const ANNOTATION_ROTATE = 'certs.kamaji.io/rotate';
/** Pod template labels `component.kamaji.io/<x>` carry content hashes, so that pods roll when a credential changes. */
export const LABEL_PREFIX_COMPONENT_HASH = 'component.kamaji.io/';
/** Pod template annotations `storage.kamaji.io/<x>` do the same for what comes from the DataStore. */
export const ANNOTATION_PREFIX_STORAGE_HASH = 'storage.kamaji.io/';
export const FIELD_MANAGER = 'kamaji';
/** Holds a TenantControlPlane until nothing of it is left, in the DataStore neither. */
export const FINALIZER = 'kamaji.io/cleanup';

/** Names in the tenant's namespace of the admin cluster. */
export function tenantObjectNames(tenantName: string) {
  return {
    service: tenantName,
    deployment: tenantName,
    kubeadmConfig: `${tenantName}-kubeadmconfig`,
    ca: `${tenantName}-ca`,
    frontProxyCa: `${tenantName}-front-proxy-ca-certificate`,
    serviceAccountKeys: `${tenantName}-sa-certificate`,
    apiServer: `${tenantName}-api-server-certificate`,
    apiServerKubeletClient: `${tenantName}-api-server-kubelet-client-certificate`,
    frontProxyClient: `${tenantName}-front-proxy-client-certificate`,
    adminKubeconfig: `${tenantName}-admin-kubeconfig`,
    controllerManagerKubeconfig: `${tenantName}-controller-manager-kubeconfig`,
    schedulerKubeconfig: `${tenantName}-scheduler-kubeconfig`,
    dataStoreConfig: `${tenantName}-datastore-config`,
    dataStoreCertificate: `${tenantName}-datastore-certificate`,
    konnectivityEgress: `${tenantName}-konnectivity-egress-selector-configuration`,
    konnectivityCertificate: `${tenantName}-konnectivity-certificate`,
    konnectivityKubeconfig: `${tenantName}-konnectivity-kubeconfig`,
  } as const;
}

export type TenantObjectNames = ReturnType<typeof tenantObjectNames>;
