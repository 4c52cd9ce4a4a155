import { createHash, X509Certificate, type KeyObject } from 'node:crypto';
import { derElements, type DerElement } from './der.ts';
import { keyAlgorithmOf, parsePrivateKey } from './keys.ts';
import { PkiError } from './pki-error.ts';
import { alternativeNames, type AlternativeNames, type Subject } from './subject.ts';

export type CertificateUsage = 'server' | 'client';

export const USAGE_OIDS: Readonly<Record<CertificateUsage, string>> = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
};

/** What a certificate says. Reading one takes some 50 microseconds. */
export interface InspectedCertificate extends AlternativeNames {
  readonly subject: Subject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly isAuthority: boolean;
  readonly usages: readonly CertificateUsage[];
  /** As in `KeyAlgorithm`, but of any kind: `RSA-4096`. */
  readonly keyAlgorithm: string;
  readonly x509: X509Certificate;
}

/** Reads the first certificate of a PEM text. Throws PkiError UnparsableCertificate. */
export function parseCertificate(pem: string): InspectedCertificate {
  try {
    // Node also takes DER; a Secret's key that holds DER would be of no use to anyone else.
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no PEM');
    const x509 = new X509Certificate(pem);
    return {
      ...readAlternativeNames(x509),
      x509,
      subject: readSubject(x509),
      notBefore: x509.validFromDate,
      notAfter: x509.validToDate,
      isAuthority: x509.ca,
      usages: (['server', 'client'] as const).filter((usage) => x509.keyUsage?.includes(USAGE_OIDS[usage]) ?? false),
      keyAlgorithm: keyAlgorithmOf(x509.publicKey),
    };
  } catch (cause) {
    throw new PkiError('UnparsableCertificate', 'the certificate is not valid PEM of an X.509 certificate', { cause });
  }
}

/** Whether `issuer`'s key signed the certificate and their names fit. Says nothing about time. */
export function isIssuedBy(certificate: InspectedCertificate, issuer: InspectedCertificate): boolean {
  return certificate.x509.checkIssued(issuer.x509) && certificate.x509.verify(issuer.x509.publicKey);
}

/** Whether the private key belongs to the certificate. Throws PkiError UnparsableKey. */
export function matchesKey(certificate: InspectedCertificate, keyPem: string): boolean {
  return certificate.x509.checkPrivateKey(parsePrivateKey(keyPem));
}

/**
 * `sha256:<hex>` of the public key of a CA, as `kubeadm join --discovery-token-ca-cert-hash` takes it
 * (cmd/kubeadm/app/util/pubkeypin, Hash). Throws PkiError UnparsableCertificate.
 */
export function caCertHash(pem: string): string {
  const { publicKeyInfo } = certificateParts(parseCertificate(pem).x509);
  return `sha256:${createHash('sha256').update(publicKeyInfo).digest('hex')}`;
}

/** Raw DER pieces of a certificate, so that an issuer's name is repeated byte for byte, as chain building wants. */
export interface CertificateParts {
  readonly subject: Buffer;
  readonly publicKeyInfo: Buffer;
  /** Undefined: the certificate has none. */
  readonly subjectKeyId: Buffer | undefined;
}

export function certificateParts(x509: X509Certificate): CertificateParts {
  const [tbs] = children(derElements(x509.raw)[0]);
  const fields = children(tbs);
  // TBSCertificate: [0] version (absent in v1), serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo.
  const first = fields[0]?.tag === 0xa0 ? 1 : 0;
  const subject = fields[first + 4];
  const publicKeyInfo = fields[first + 5];
  if (subject === undefined || publicKeyInfo === undefined) throw new RangeError('the certificate is cut short');
  const extensions = children(children(fields.find((field) => field.tag === 0xa3))[0]);
  const subjectKeyId = extensions
    .map((extension) => children(extension))
    .find(([id]) => id?.content.equals(SUBJECT_KEY_ID))
    ?.at(-1);
  return {
    subject: subject.raw,
    publicKeyInfo: publicKeyInfo.raw,
    subjectKeyId: subjectKeyId && derElements(subjectKeyId.content)[0]?.content,
  };
}

/** 2.5.29.14. */
const SUBJECT_KEY_ID = Buffer.of(0x55, 0x1d, 0x0e);

function children(element: DerElement | undefined): readonly DerElement[] {
  return element === undefined ? [] : derElements(element.content);
}

/** The key identifier of RFC 7093, 2, method 1: the first 160 bits of the SHA-256 of the key's bits. */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const bits = children(derElements(publicKey.export({ type: 'spki', format: 'der' }))[0])[1];
  if (bits === undefined) throw new RangeError('the public key is cut short');
  return createHash('sha256').update(bits.content.subarray(1)).digest().subarray(0, 20);
}

function readSubject(x509: X509Certificate): Subject {
  // One attribute a line, escaped as in RFC 2253 (OpenSSL's XN_FLAG_MULTILINE with ASN1_STRFLGS_ESC_2253).
  let commonName = '';
  const organizations: string[] = [];
  for (const line of (x509.subject ?? '').split('\n')) {
    const at = line.indexOf('=');
    const value = unescapeName(line.slice(at + 1));
    if (line.startsWith('CN=')) commonName = value;
    else if (line.startsWith('O=')) organizations.push(value);
  }
  return { commonName, organizations };
}

function unescapeName(value: string): string {
  if (!value.includes('\\')) return value;
  const bytes: Buffer[] = [];
  for (const [part] of value.matchAll(/\\[0-9A-Fa-f]{2}|\\.|[^\\]+/gsu)) {
    if (/^\\[0-9A-Fa-f]{2}$/.test(part)) bytes.push(Buffer.from(part.slice(1), 'hex'));
    else bytes.push(Buffer.from(part.startsWith('\\') ? part.slice(1) : part, 'utf8'));
  }
  return Buffer.concat(bytes).toString('utf8');
}

function readAlternativeNames(x509: X509Certificate): AlternativeNames {
  const names: string[] = [];
  // `DNS:a, IP Address:1.2.3.4`; Node puts a value with special characters into JSON quotes.
  for (const [, kind, value = ''] of (x509.subjectAltName ?? '').matchAll(
    /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g,
  )) {
    if (kind !== 'DNS' && kind !== 'IP Address') continue;
    names.push(value.startsWith('"') ? String(JSON.parse(value)) : value);
  }
  return alternativeNames(names);
}
