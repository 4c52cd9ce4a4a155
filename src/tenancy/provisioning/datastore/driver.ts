import type { CertificateAndKey } from '../../../pki/certificate-and-key.ts';
import type { DataStoreDriver as DriverName } from '../../api/data-store.ts';
import type { TenantStorage } from '../tenant-input.ts';

/** How to reach a store and with which credentials; made by `resolveDataStore`. Holds private keys: never log it. */
export interface DataStoreConnection {
  readonly dataStoreName: string;
  readonly driver: DriverName;
  /** `host:port`, IPv6 addresses in brackets. */
  readonly endpoints: readonly string[];
  readonly tls?: {
    /** PEM, possibly a bundle. */
    readonly caCertificate: string;
    readonly client?: CertificateAndKey;
  };
  /** The authority that signs the client certificates of tenants. */
  readonly signingAuthority?: CertificateAndKey;
  readonly basicAuth?: { readonly username: string; readonly password: string };
}

/** The tenant's name within a store. */
export type TenantIdentity = Pick<TenantStorage, 'schema' | 'username'>;

export interface DriverCallOptions {
  /** Ends the call early; it then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface DataStoreHealth {
  readonly healthy: boolean;
  /** Reason of a condition: `Healthy` or the code of the error. */
  readonly reason: string;
  readonly message: string;
}

/**
 * One store, connected. Every call ends within its deadline and throws DataStoreError. Calls may run side by side, also for
 * the same tenant.
 */
export interface DataStoreDriver {
  /**
   * Makes the tenant's user, role and key range what they must be, from whatever state they are in. Changes nothing when
   * they are right. Throws IdentityConflict, having changed nothing, when user or role belong to somebody else.
   */
  ensureTenant(identity: TenantIdentity, options?: DriverCallOptions): Promise<{ readonly changed: boolean }>;
  /**
   * Takes away the tenant's access, then all its keys. Fine when there is nothing, or only a part. What is somebody else's, as
   * `ensureTenant` judges it, is left alone.
   */
  removeTenant(identity: TenantIdentity, options?: DriverCallOptions): Promise<{ readonly removedKeys: number }>;
  /** Never throws but for an aborted signal: what is wrong is the answer. */
  check(options?: DriverCallOptions): Promise<DataStoreHealth>;
  /** Number of the tenant's keys. */
  countKeys(identity: TenantIdentity, options?: DriverCallOptions): Promise<number>;
  /** Gives the sockets back; calls under way end first. No call may follow. */
  close(): void;
}

export type Capability = { readonly supported: true } | { readonly supported: false; readonly reason: string };

export interface DriverCapabilities {
  /** Tenants of one store cannot read each other's objects. */
  readonly tenantIsolation: Capability;
  /** Tenants prove who they are by a client certificate, without a password. */
  readonly clientCertificates: Capability;
  /** kube-apiserver speaks with it directly, so that it can also hold single resources (`dataStoreOverrides`). */
  readonly resourceOverrides: Capability;
}

export interface SupportedDriver {
  readonly name: DriverName;
  readonly supported: true;
  readonly capabilities: DriverCapabilities;
  /** Connects lazily: opening an unreachable store succeeds. Throws DataStoreError ConfigurationInvalid or CredentialInvalid. */
  open(connection: DataStoreConnection, options?: DriverOptions): DataStoreDriver;
}

export type DriverDefinition =
  SupportedDriver | { readonly name: DriverName; readonly supported: false; readonly reason: string };

export interface DriverOptions {
  /** For one request to the store, all its servers included. Default 10,000. */
  readonly timeoutMs?: number;
  /** Sockets without a request for so long are closed and opened again when needed. Default 60,000. */
  readonly idleMs?: number;
}
