import type { CertificateAndKey } from '../../src/pki/certificate-and-key.ts';
import { createCertificateAuthority, issueCertificate, openAuthority } from '../../src/pki/issue.ts';

export interface TestAuthority extends CertificateAndKey {
  /** A certificate for both sides of a connection. */
  issue(options: {
    readonly commonName: string;
    readonly organization?: string;
    readonly names?: readonly string[];
  }): Promise<CertificateAndKey>;
}

/** A certificate authority that lives for one test run. */
export async function newTestAuthority(commonName = 'test-ca'): Promise<TestAuthority> {
  const now = new Date();
  const ca = await createCertificateAuthority({ subject: { commonName }, now });
  const authority = openAuthority(ca);
  return {
    ...ca,
    issue: ({ commonName, organization, names = [] }) => {
      const subject = organization === undefined ? { commonName } : { commonName, organizations: [organization] };
      return issueCertificate(authority, { subject, names, usages: ['server', 'client'] }, now);
    },
  };
}
