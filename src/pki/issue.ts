import { randomBytes, sign, type KeyObject } from 'node:crypto';
import type { CertificateAndKey } from './certificate-and-key.ts';
import {
  derBitString,
  derBoolean,
  derExplicit,
  derImplicit,
  derNull,
  derObjectIdentifier,
  derOctetString,
  derSequence,
  derSet,
  derText,
  derTime,
  derUnsigned,
} from './der.ts';
import {
  certificateParts,
  keyIdentifier,
  matchesKey,
  parseCertificate,
  USAGE_OIDS,
  type CertificateUsage,
  type InspectedCertificate,
} from './inspect.ts';
import { generateKeys, keyAlgorithmOf, parsePrivateKey, privateKeyToPem, type KeyAlgorithm } from './keys.ts';
import { PkiError } from './pki-error.ts';
import { alternativeNames, ipBytes, type AlternativeNames, type Subject } from './subject.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** One year, as kubeadm's leaf certificates. */
export const LEAF_LIFETIME_MS = 365 * DAY_MS;
/** Ten years, as kubeadm's authorities. */
export const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS;
/** Certificates begin to be valid this long before they are made, for machines whose clocks are late. */
const BACK_DATED_MS = 5 * MINUTE_MS;

export interface AuthorityRequest {
  readonly subject: Subject;
  readonly now: Date;
  readonly lifetimeMs?: number;
  readonly keyAlgorithm?: KeyAlgorithm;
}

export interface CertificateRequest {
  readonly subject: Subject;
  readonly usages: readonly CertificateUsage[];
  /** DNS names and IP addresses in any order. */
  readonly names?: readonly string[];
  readonly lifetimeMs?: number;
  readonly keyAlgorithm?: KeyAlgorithm;
}

/** A CA that is ready to sign. Made by `openAuthority`; holds the private key, so keep it out of logs. */
export interface Authority {
  readonly certificate: InspectedCertificate;
  readonly notAfter: Date;
  readonly name: Buffer;
  readonly keyId: Buffer;
  readonly key: KeyObject;
}

/** Makes a self-signed certificate authority: ten years and ECDSA P-256 unless told otherwise. */
export async function createCertificateAuthority(request: AuthorityRequest): Promise<CertificateAndKey> {
  const { privateKey, publicKey } = await generateKeys(request.keyAlgorithm);
  const name = encodeName(request.subject);
  const keyId = keyIdentifier(publicKey);
  const certificate = signCertificate({
    subject: name,
    issuer: name,
    publicKey,
    issuerKey: privateKey,
    notBefore: new Date(request.now.getTime() - BACK_DATED_MS),
    notAfter: new Date(request.now.getTime() + (request.lifetimeMs ?? AUTHORITY_LIFETIME_MS)),
    extensions: [
      // digitalSignature, keyCertSign, cRLSign
      extension('2.5.29.15', derBitString(Buffer.of(0b1000_0110), 1), true),
      extension('2.5.29.19', derSequence(derBoolean(true)), true),
      extension('2.5.29.14', derOctetString(keyId)),
    ],
  });
  return { certificate, key: privateKeyToPem(privateKey) };
}

/**
 * Reads a CA of any origin. Its certificate may be the first of a bundle.
 * Throws PkiError: UnparsableCertificate, UnparsableKey, UnsupportedKey, NotAnAuthority, KeyMismatch.
 */
export function openAuthority(authority: CertificateAndKey): Authority {
  const certificate = parseCertificate(authority.certificate);
  if (!certificate.isAuthority)
    throw new PkiError('NotAnAuthority', 'the certificate is not one of a certificate authority');
  if (!matchesKey(certificate, authority.key)) {
    throw new PkiError('KeyMismatch', "the private key does not belong to the authority's certificate");
  }
  const key = parsePrivateKey(authority.key);
  signatureScheme(key);
  const parts = certificateParts(certificate.x509);
  return {
    certificate,
    notAfter: certificate.notAfter,
    name: parts.subject,
    keyId: parts.subjectKeyId ?? keyIdentifier(certificate.x509.publicKey),
    key,
  };
}

/**
 * Makes a key pair and a certificate for it: one year (never longer than the authority's own) and ECDSA P-256 unless
 * told otherwise. Throws PkiError InvalidRequest for names that are none, AuthorityExpired.
 */
export async function issueCertificate(
  authority: Authority,
  request: CertificateRequest,
  now: Date,
): Promise<CertificateAndKey> {
  const names = alternativeNames(request.names ?? []);
  checkNames(names);
  const notAfter = Math.min(now.getTime() + (request.lifetimeMs ?? LEAF_LIFETIME_MS), authority.notAfter.getTime());
  if (notAfter <= now.getTime()) throw new PkiError('AuthorityExpired', 'the certificate authority has expired');
  const { privateKey, publicKey } = await generateKeys(request.keyAlgorithm);
  const isRsa = privateKey.asymmetricKeyType === 'rsa';
  const certificate = signCertificate({
    subject: encodeName(request.subject),
    issuer: authority.name,
    publicKey,
    issuerKey: authority.key,
    notBefore: new Date(now.getTime() - BACK_DATED_MS),
    notAfter: new Date(notAfter),
    extensions: [
      // digitalSignature; keyEncipherment means something for RSA alone
      extension(
        '2.5.29.15',
        isRsa ? derBitString(Buffer.of(0b1010_0000), 5) : derBitString(Buffer.of(0b1000_0000), 7),
        true,
      ),
      extension('2.5.29.37', derSequence(...request.usages.map((usage) => derObjectIdentifier(USAGE_OIDS[usage])))),
      extension('2.5.29.19', derSequence(), true),
      extension('2.5.29.14', derOctetString(keyIdentifier(publicKey))),
      extension('2.5.29.35', derSequence(derImplicit(0, authority.keyId))),
      ...(names.dnsNames.length + names.ipAddresses.length > 0 ? [extension('2.5.29.17', encodeNames(names))] : []),
    ],
  });
  return { certificate, key: privateKeyToPem(privateKey) };
}

interface ToBeSigned {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly publicKey: KeyObject;
  readonly issuerKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
}

/** RFC 5280, 4.1. Answers PEM. */
function signCertificate(request: ToBeSigned): string {
  const scheme = signatureScheme(request.issuerKey);
  const tbs = derSequence(
    derExplicit(0, derUnsigned(Buffer.of(2))),
    derUnsigned(serialNumber()),
    scheme.identifier,
    request.issuer,
    derSequence(derTime(request.notBefore), derTime(request.notAfter)),
    request.subject,
    request.publicKey.export({ type: 'spki', format: 'der' }),
    derExplicit(3, derSequence(...request.extensions)),
  );
  const signature = sign(scheme.hash, tbs, request.issuerKey);
  const der = derSequence(tbs, scheme.identifier, derBitString(signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** 128 random bits, never zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) | 1;
  return bytes;
}

interface SignatureScheme {
  /** Null: the scheme brings its own. */
  readonly hash: string | null;
  readonly identifier: Buffer;
}

function signatureScheme(key: KeyObject): SignatureScheme {
  const algorithm = keyAlgorithmOf(key);
  switch (algorithm) {
    case 'ECDSA-P256':
      return { hash: 'sha256', identifier: derSequence(derObjectIdentifier('1.2.840.10045.4.3.2')) };
    case 'ECDSA-P384':
      return { hash: 'sha384', identifier: derSequence(derObjectIdentifier('1.2.840.10045.4.3.3')) };
    case 'ECDSA-P521':
      return { hash: 'sha512', identifier: derSequence(derObjectIdentifier('1.2.840.10045.4.3.4')) };
    case 'ed25519':
      return { hash: null, identifier: derSequence(derObjectIdentifier('1.3.101.112')) };
    default:
      if (algorithm.startsWith('RSA-')) {
        return { hash: 'sha256', identifier: derSequence(derObjectIdentifier('1.2.840.113549.1.1.11'), derNull()) };
      }
      throw new PkiError('UnsupportedKey', `an authority cannot sign with a key of type ${algorithm}`);
  }
}

function encodeName(subject: Subject): Buffer {
  const attribute = (id: string, value: string) => derSet(derSequence(derObjectIdentifier(id), derText(value)));
  const organizations = (subject.organizations ?? []).map((value) => attribute('2.5.4.10', value));
  return derSequence(...organizations, attribute('2.5.4.3', subject.commonName));
}

function encodeNames(names: AlternativeNames): Buffer {
  return derSequence(
    ...names.dnsNames.map((name) => derImplicit(2, Buffer.from(name, 'latin1'))),
    ...names.ipAddresses.map((ip) => derImplicit(7, ipBytes(ip))),
  );
}

/** Labels of letters, digits, `-` and `_`, the first one possibly `*`: what a TLS client can meet. */
function checkNames(names: AlternativeNames): void {
  for (const name of names.dnsNames) {
    if (!/^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(name)) {
      throw new PkiError('InvalidRequest', `${JSON.stringify(name)} is neither a DNS name nor an IP address`);
    }
  }
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return derSequence(derObjectIdentifier(id), ...(critical ? [derBoolean(true)] : []), derOctetString(value));
}
