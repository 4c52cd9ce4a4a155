import { X509Certificate } from 'node:crypto';
import { pathLengthOf, readCertificateFacts, type CertificateFacts } from './certificate-facts.ts';

/** Authorities that one kind of client is trusted by. A new object for new content: verdicts are remembered by it. */
export interface TrustBundle {
  readonly authorities: readonly X509Certificate[];
}

export type CertificateVerdict =
  | { readonly trusted: true; readonly facts: CertificateFacts }
  /** `reason` is for the log. */
  | { readonly trusted: false; readonly reason: string };

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_USAGE = '2.5.29.37.0';
/** More than anybody's hierarchy; bounds the work that a stranger can make us do. */
const MAX_INTERMEDIATES = 4;
const NAME_CONSTRAINTS = '551d1e';
/** keyUsage, subjectAltName, basicConstraints, certificatePolicies, authorityKeyIdentifier, extKeyUsage, subjectKeyIdentifier. */
const UNDERSTOOD = new Set(['551d0f', '551d11', '551d13', '551d20', '551d23', '551d25', '551d0e']);

interface Path {
  readonly certificates: readonly X509Certificate[];
  readonly verdict: CertificateVerdict;
}

/** A path does not change while certificate and bundle are the same, only the time does; a connection shows one certificate. */
const remembered = new WeakMap<X509Certificate, WeakMap<TrustBundle, Path>>();

/**
 * Whether the certificate that a client showed is good for authenticating a client, and leads to an authority of the bundle,
 * through intermediates that the client showed too. By hand, because one TLS port serves clients of several authorities. The
 * rules are those of Go's crypto/x509 Verify as k8s.io/apiserver/pkg/authentication/request/x509 asks for them; what we do not
 * understand (unknown critical extensions, name constraints) is not trusted.
 */
export function verifyClientCertificate(leaf: X509Certificate, bundle: TrustBundle, nowMs: number): CertificateVerdict {
  let byBundle = remembered.get(leaf);
  if (byBundle === undefined) {
    byBundle = new WeakMap();
    remembered.set(leaf, byBundle);
  }
  let path = byBundle.get(bundle);
  if (path === undefined) {
    path = findPath(leaf, bundle);
    byBundle.set(bundle, path);
  }
  if (!path.verdict.trusted) return path.verdict;
  const untimely = path.certificates.find(
    (certificate) => nowMs < certificate.validFromDate.getTime() || nowMs > certificate.validToDate.getTime(),
  );
  return untimely === undefined
    ? path.verdict
    : { trusted: false, reason: 'a certificate of the chain has expired or is not valid yet' };
}

/** The certificates of a PEM bundle. @throws Error when one of them is none */
export function parseTrustBundle(pem: string): TrustBundle {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return { authorities: blocks.map((block) => new X509Certificate(block)) };
}

function findPath(leaf: X509Certificate, bundle: TrustBundle): Path {
  try {
    const facts = readCertificateFacts(leaf);
    const complaint =
      complaintAbout(leaf, facts) ?? (isForClients(leaf) ? undefined : 'it is not meant for client authentication');
    if (complaint !== undefined) return distrust(complaint);
    const certificates = extend([leaf], bundle);
    if (certificates === undefined) return distrust('it is signed by an unknown authority');
    return { certificates, verdict: { trusted: true, facts } };
  } catch (error) {
    return distrust(error instanceof Error ? error.message : String(error));
  }
}

const distrust = (reason: string): Path => ({ certificates: [], verdict: { trusted: false, reason } });

/** Lengthens the path until it ends at an authority of the bundle. */
function extend(path: readonly X509Certificate[], bundle: TrustBundle): readonly X509Certificate[] | undefined {
  const last = path.at(-1)!;
  const intermediates = path.length - 1;
  for (const authority of bundle.authorities) {
    if (authority.raw.equals(last.raw)) return path;
    if (isIssuer(authority, last, intermediates)) return [...path, authority];
  }
  const next = last.issuerCertificate;
  const usable = next !== undefined && !next.raw.equals(last.raw) && intermediates < MAX_INTERMEDIATES;
  return usable && isIssuer(next, last, intermediates) ? extend([...path, next], bundle) : undefined;
}

function isIssuer(authority: X509Certificate, certificate: X509Certificate, intermediatesBelow: number): boolean {
  if (
    !authority.ca ||
    !isForClients(authority) ||
    !certificate.checkIssued(authority) ||
    !certificate.verify(authority.publicKey)
  )
    return false;
  const facts = readCertificateFacts(authority);
  const length = pathLengthOf(facts);
  return complaintAbout(authority, facts) === undefined && (length === undefined || length >= intermediatesBelow);
}

function complaintAbout(certificate: X509Certificate, { extensions }: CertificateFacts): string | undefined {
  const strange = extensions.find(({ id, critical }) => id === NAME_CONSTRAINTS || (critical && !UNDERSTOOD.has(id)));
  if (strange !== undefined) return `it has an extension that is not understood (${strange.id})`;
  // A self-signed authority is trusted for what it is, not for its signature.
  const weak =
    /md5|sha1(?!\d)/i.test(certificate.signatureAlgorithm ?? '') && certificate.issuer !== certificate.subject;
  return weak ? `its signature is weak (${certificate.signatureAlgorithm ?? ''})` : undefined;
}

/** A certificate that names no usages is good for all of them; so Go nests them. */
function isForClients(certificate: X509Certificate): boolean {
  const usages = certificate.keyUsage;
  return usages === undefined || usages.length === 0 || usages.includes(CLIENT_AUTH) || usages.includes(ANY_USAGE);
}
