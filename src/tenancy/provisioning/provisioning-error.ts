export type ProvisioningErrorCode =
  'RootSecretUnusable' | 'ForeignSecret' | 'DataStoreAuthorityUnusable' | 'CertificateRefused' | 'KubeletPatchFailed';

/**
 * What keeps a tenant from being described. Trying again does not help before somebody changes something: the code is fit
 * for a condition's reason and the message for its message. Neither holds key material.
 */
export class ProvisioningError extends Error {
  readonly code: ProvisioningErrorCode;

  constructor(code: ProvisioningErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProvisioningError';
    this.code = code;
  }
}
