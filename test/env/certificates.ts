// oxlint-disable-next-line import/no-unassigned-import -- the certificate library needs it loaded first
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface TestAuthority extends TestCertificate {
  issue(options: {
    readonly commonName: string;
    readonly organization?: string;
    readonly names?: readonly string[];
  }): Promise<TestCertificate>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A certificate authority that lives for one test run. */
export async function newTestAuthority(commonName = 'test-ca'): Promise<TestAuthority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
    ],
  });
  return {
    certificate: ca.toString('pem'),
    key: await exportKey(keys.privateKey),
    async issue({ commonName, organization, names = [] }) {
      const leafKeys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      const leaf = await x509.X509CertificateGenerator.create({
        subject: `CN=${commonName}${organization === undefined ? '' : `,O=${organization}`}`,
        issuer: ca.subject,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        notBefore: new Date(Date.now() - 60_000),
        notAfter: new Date(Date.now() + 3_600_000),
        extensions: [
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
          new x509.SubjectAlternativeNameExtension(
            names.map((name) =>
              /^[0-9.]+$|:/.test(name) ? { type: 'ip' as const, value: name } : { type: 'dns' as const, value: name },
            ),
          ),
        ],
      });
      return { certificate: leaf.toString('pem'), key: await exportKey(leafKeys.privateKey) };
    },
  };
}

async function exportKey(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}
