import type { CertificateAndKey } from './certificate-and-key.ts';
import { isIssuedBy, matchesKey, parseCertificate, type InspectedCertificate } from './inspect.ts';
import type { CertificateRequest } from './issue.ts';
import { DEFAULT_KEY_ALGORITHM } from './keys.ts';
import { PkiError } from './pki-error.ts';
import { alternativeNames, sameNames, sameSet, sameSubject } from './subject.ts';

export type RenewalReason =
  | 'Missing'
  | 'Unparsable'
  | 'KeyMismatch'
  | 'WrongAuthority'
  | 'SubjectChanged'
  | 'NamesChanged'
  | 'UsagesChanged'
  | 'KeyAlgorithmChanged'
  | 'Expiring'
  | 'NotYetValid'
  | 'RotationRequested';

export interface RenewalQuestion {
  readonly existing: Partial<CertificateAndKey> | undefined;
  readonly wanted: CertificateRequest;
  /** The certificate that must have signed it: PEM (of a bundle, the first one counts), or one that was read already. */
  readonly authorityCertificate: string | InspectedCertificate;
  readonly now: Date;
  /** Renew when less than this is left; a third of the certificate's lifetime when absent. */
  readonly renewBeforeMs?: number | undefined;
  readonly rotationRequested?: boolean;
}

export type RenewalDecision =
  | { readonly renew: false; readonly current: CertificateAndKey; readonly notAfter: Date; readonly renewAt: Date }
  | { readonly renew: true; readonly reason: RenewalReason; readonly message: string };

/**
 * Keep or renew, decided from texts alone. `renewAt` is when the answer turns.
 * Throws PkiError UnparsableCertificate when the authority's certificate is none.
 */
export function decideRenewal(question: RenewalQuestion): RenewalDecision {
  const { authorityCertificate } = question;
  const authority =
    typeof authorityCertificate === 'string' ? parseCertificate(authorityCertificate) : authorityCertificate;
  const { certificate: pem, key } = question.existing ?? {};
  if (pem === undefined || key === undefined || pem === '' || key === '') {
    return renew(
      'Missing',
      question.existing === undefined ? 'there is none yet' : 'the certificate or its key is missing',
    );
  }
  let certificate: InspectedCertificate;
  try {
    certificate = parseCertificate(pem);
    if (!matchesKey(certificate, key))
      return renew('KeyMismatch', 'the private key does not belong to the certificate');
  } catch (error) {
    if (error instanceof PkiError) return renew('Unparsable', error.message);
    throw error;
  }
  const difference = firstDifference(certificate, authority, question.wanted);
  if (difference !== undefined) return difference;
  const { now } = question;
  if (certificate.notBefore > now)
    return renew('NotYetValid', `it is valid only from ${certificate.notBefore.toISOString()}`);
  const renewAt = renewalTime(certificate, authority, question.renewBeforeMs);
  if (renewAt <= now) return renew('Expiring', `it expires at ${certificate.notAfter.toISOString()}`);
  if (question.rotationRequested === true) return renew('RotationRequested', 'a rotation was asked for');
  return { renew: false, current: { certificate: pem, key }, notAfter: certificate.notAfter, renewAt };
}

function firstDifference(
  certificate: InspectedCertificate,
  authority: InspectedCertificate,
  wanted: CertificateRequest,
): RenewalDecision | undefined {
  if (!isIssuedBy(certificate, authority)) return renew('WrongAuthority', 'another authority has signed it');
  if (!sameSubject(certificate.subject, wanted.subject)) {
    return renew('SubjectChanged', `its subject is not ${wanted.subject.commonName} with the wanted groups`);
  }
  if (!sameNames(certificate, alternativeNames(wanted.names ?? []))) {
    return renew('NamesChanged', 'its alternative names are not the wanted ones');
  }
  if (!sameSet(wanted.usages, certificate.usages)) {
    return renew('UsagesChanged', 'its extended key usages are not the wanted ones');
  }
  const keyAlgorithm = wanted.keyAlgorithm ?? DEFAULT_KEY_ALGORITHM;
  if (certificate.keyAlgorithm !== keyAlgorithm) {
    return renew('KeyAlgorithmChanged', `its key is ${certificate.keyAlgorithm}, not ${keyAlgorithm}`);
  }
  return undefined;
}

/**
 * When to renew. A certificate that ends with its authority gains nothing from renewal, so that it is left alone until
 * the very end; else an authority in its last year would make every leaf be signed anew at every look.
 */
function renewalTime(
  certificate: InspectedCertificate,
  authority: InspectedCertificate,
  renewBeforeMs: number | undefined,
): Date {
  const notAfter = certificate.notAfter.getTime();
  if (notAfter >= authority.notAfter.getTime()) return certificate.notAfter;
  const lifetimeMs = notAfter - certificate.notBefore.getTime();
  // Whoever asks for more than the lifetime would renew for ever.
  const beforeMs = Math.min(renewBeforeMs ?? lifetimeMs / 3, (lifetimeMs * 9) / 10);
  return new Date(notAfter - beforeMs);
}

function renew(reason: RenewalReason, message: string): RenewalDecision {
  return { renew: true, reason, message };
}
