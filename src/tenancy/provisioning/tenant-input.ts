import type { CertificateAndKey } from '../../pki/certificate-and-key.ts';
import type { SigningKeyPair } from '../../pki/keys.ts';
import type { TenantControlPlane } from '../api/tenant-control-plane.ts';

/** Everything that the pure descriptions of a tenant are computed from; controllers gather it. */
export interface TenantInput {
  /** Defaulted object as stored. */
  readonly tenant: TenantControlPlane;
  /** Where nodes and users reach the tenant's API. */
  readonly endpoint: TenantEndpoint;
  readonly storage: TenantStorage;
  readonly pki: TenantPki;
}

export interface TenantEndpoint {
  /** IP address or DNS name. */
  readonly host: string;
  readonly port: number;
  /** clusterIP of the tenant's Service in the admin cluster. */
  readonly clusterIp: string;
}

/** The tenant's own part of a DataStore. */
export interface TenantStorage {
  readonly dataStoreName: string;
  readonly driver: 'etcd';
  /** `host:port`. */
  readonly endpoints: readonly string[];
  /** Key range is `/<schema>/`. */
  readonly schema: string;
  readonly username: string;
}

/** What everything else of a tenant is signed with; never replaced as long as it exists. */
export interface TenantRoots {
  readonly ca: CertificateAndKey;
  readonly frontProxyCa: CertificateAndKey;
  readonly serviceAccount: SigningKeyPair;
}

/** PEM texts. */
export interface TenantPki extends TenantRoots {
  readonly apiServer: CertificateAndKey;
  readonly apiServerKubeletClient: CertificateAndKey;
  readonly frontProxyClient: CertificateAndKey;
  /** Client certificate for the DataStore, CN = the tenant's user there, and the CA of the DataStore. */
  readonly dataStoreClient: CertificateAndKey & { readonly caCertificate: string };
  /** Client certificates behind the kubeconfigs. */
  readonly admin: CertificateAndKey;
  readonly superAdmin: CertificateAndKey;
  readonly controllerManager: CertificateAndKey;
  readonly scheduler: CertificateAndKey;
  /** Client certificate of konnectivity-server (CN system:konnectivity-server); undefined when the add-on is off. */
  readonly konnectivityServer: CertificateAndKey | undefined;
}

/** What the objects inside a tenant's cluster are computed from: no private key is among it. */
export interface TenantClusterInput extends Omit<TenantInput, 'pki'> {
  readonly pki: { readonly ca: Pick<CertificateAndKey, 'certificate'> };
}
