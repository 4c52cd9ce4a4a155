/** What can be wrong with a DataStore or a tenant's part of it. A code also serves as the reason of a condition. */
export type DataStoreErrorCode =
  /** The driver named in the DataStore is not one that this version can use. */
  | 'DriverNotSupported'
  /** A field of the DataStore is missing or malformed. */
  | 'ConfigurationInvalid'
  /** A referenced Secret does not exist. */
  | 'SecretNotFound'
  /** A referenced Secret lacks the key. */
  | 'SecretKeyNotFound'
  /** A certificate or key is not what it should be. */
  | 'CredentialInvalid'
  /** Schema or user name of a tenant cannot be used in this store. */
  | 'IdentityInvalid'
  /** A user or role of the tenant's name exists and belongs to somebody else. */
  | 'IdentityConflict'
  | 'Unreachable'
  | 'TimedOut'
  /** Store and we do not trust each other's certificate. */
  | 'HandshakeFailed'
  /** The store does not check who asks, so that tenants would not be kept apart. */
  | 'AuthenticationDisabled'
  /** The store does not know our user. */
  | 'AuthenticationFailed'
  /** The store knows our user, who may not do this. */
  | 'PermissionDenied'
  | 'OutOfSpace'
  /** Anything else that the store answered. */
  | 'Unexpected';

/** Waiting changes nothing about these: somebody has to edit the DataStore, the tenant or the store. */
const TERMINAL: ReadonlySet<DataStoreErrorCode> = new Set([
  'DriverNotSupported',
  'ConfigurationInvalid',
  'IdentityInvalid',
  'IdentityConflict',
]);

/** The only error of the DataStore drivers. The message names fields, Secrets and servers, never what is in them. */
export class DataStoreError extends Error {
  readonly code: DataStoreErrorCode;
  /** True: trying again without a change of the DataStore or the tenant is of no use. */
  readonly terminal: boolean;

  constructor(code: DataStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DataStoreError';
    this.code = code;
    this.terminal = TERMINAL.has(code);
  }
}
