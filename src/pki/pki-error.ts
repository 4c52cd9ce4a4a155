export type PkiErrorCode =
  | 'UnparsableCertificate'
  | 'UnparsableKey'
  | 'UnsupportedKey'
  | 'NotAnAuthority'
  | 'KeyMismatch'
  | 'AuthorityExpired'
  | 'InvalidRequest';

/** The only error of this room. The message never holds key material. */
export class PkiError extends Error {
  readonly code: PkiErrorCode;

  constructor(code: PkiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PkiError';
    this.code = code;
  }
}
