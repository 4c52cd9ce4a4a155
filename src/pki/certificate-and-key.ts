/** PEM texts of a certificate (the first one, if it is a bundle, is the one meant) and of its private key. */
export interface CertificateAndKey {
  readonly certificate: string;
  readonly key: string;
}
