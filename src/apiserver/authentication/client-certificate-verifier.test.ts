import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { anyExtension, ChainLink, CLIENT_AUTH, SERVER_AUTH, showToServer } from '../../../test/env/test-chain.ts';
import { createCertificateAuthority, issueCertificate, openAuthority } from '../../pki/issue.ts';
import { readCertificateFacts } from './certificate-facts.ts';
import { parseTrustBundle, verifyClientCertificate } from './client-certificate-verifier.ts';

const client = { usages: [CLIENT_AUTH] };
const now = Date.now();

/** Judges a chain as shown in a real handshake. */
async function judge(trusted: readonly ChainLink[], ...chain: readonly [ChainLink, ...ChainLink[]]) {
  const bundle = parseTrustBundle(trusted.map(({ certificate }) => certificate).join('\n'));
  return verifyClientCertificate(await showToServer(...chain), bundle, now);
}

describe('a client certificate is trusted', () => {
  test('when an authority of the bundle signed it, and its subject is read', async () => {
    const root = await ChainLink.root({ name: 'CN=root' });
    const leaf = await root.issue({ name: 'CN=front-proxy-client,O=a\\, b,O=c', ...client });
    expect(await judge([await ChainLink.root({ name: 'CN=other' }), root], leaf)).toMatchObject({
      trusted: true,
      facts: { commonName: 'front-proxy-client', organizations: ['a, b', 'c'] },
    });
  });

  test('when it names no usage at all, or any', async () => {
    const root = await ChainLink.root({ name: 'CN=root' });
    expect((await judge([root], await root.issue({ name: 'CN=a' }))).trusted).toBe(true);
    expect((await judge([root], await root.issue({ name: 'CN=a', usages: ['2.5.29.37.0'] }))).trusted).toBe(true);
  });

  test('through intermediates that the client shows', async () => {
    const root = await ChainLink.root({ name: 'CN=root' });
    const middle = await root.issue({ name: 'CN=middle', ca: true, pathLength: 1 });
    const low = await middle.issue({ name: 'CN=low', ca: true, pathLength: 0 });
    const leaf = await low.issue({ name: 'CN=a', ...client });
    expect((await judge([root], leaf, low, middle)).trusted).toBe(true);
    expect((await judge([middle], leaf, low)).trusted).toBe(true);
    expect(await judge([root], leaf, low)).toEqual({ trusted: false, reason: 'it is signed by an unknown authority' });
  });

  test('as our own issuing makes it', async () => {
    const ca = await createCertificateAuthority({ subject: { commonName: 'ca' }, now: new Date(now) });
    const request = { subject: { commonName: 'ü', organizations: ['x+CN=y'] }, usages: ['client' as const] };
    const { certificate } = await issueCertificate(openAuthority(ca), request, new Date(now));
    expect(
      verifyClientCertificate(new X509Certificate(certificate), parseTrustBundle(ca.certificate), now),
    ).toMatchObject({
      trusted: true,
      facts: { commonName: 'ü', organizations: ['x+CN=y'] },
    });
  });
});

describe('a client certificate is not trusted', () => {
  test.each<[string, string, () => Promise<Awaited<ReturnType<typeof judge>>>]>([
    [
      'of another authority with the same name',
      'unknown authority',
      async () => {
        const other = await ChainLink.root({ name: 'CN=root' });
        return judge([await ChainLink.root({ name: 'CN=root' })], await other.issue({ name: 'CN=a', ...client }));
      },
    ],
    [
      'for servers',
      'not meant for client',
      async () => {
        const root = await ChainLink.root({ name: 'CN=root' });
        return judge([root], await root.issue({ name: 'CN=a', usages: [SERVER_AUTH] }));
      },
    ],
    [
      'that has expired',
      'expired or is not valid yet',
      async () => {
        const root = await ChainLink.root({ name: 'CN=root' });
        return judge([root], await root.issue({ name: 'CN=a', ...client, notAfter: new Date(now - 1000) }));
      },
    ],
    [
      'that is not valid yet',
      'expired or is not valid yet',
      async () => {
        const root = await ChainLink.root({ name: 'CN=root' });
        return judge([root], await root.issue({ name: 'CN=a', ...client, notBefore: new Date(now + 60_000) }));
      },
    ],
    [
      'of an expired authority',
      'expired or is not valid yet',
      async () => {
        const root = await ChainLink.root({ name: 'CN=root', notAfter: new Date(now - 1000) });
        return judge([root], await root.issue({ name: 'CN=a', ...client }));
      },
    ],
    [
      'signed by a certificate that is no authority',
      'unknown authority',
      async () => {
        const root = await ChainLink.root({ name: 'CN=root' });
        const user = await root.issue({ name: 'CN=user', ...client });
        return judge([root], await user.issue({ name: 'CN=admin,O=system:masters', ...client }), user);
      },
    ],
    [
      'below an authority for servers',
      'unknown authority',
      async () => {
        const root = await ChainLink.root({ name: 'CN=root' });
        const middle = await root.issue({ name: 'CN=middle', ca: true, usages: [SERVER_AUTH] });
        return judge([root], await middle.issue({ name: 'CN=a', ...client }), middle);
      },
    ],
    [
      'deeper than its authority allows',
      'unknown authority',
      async () => {
        const root = await ChainLink.root({ name: 'CN=root', pathLength: 0 });
        const middle = await root.issue({ name: 'CN=middle', ca: true });
        return judge([root], await middle.issue({ name: 'CN=a', ...client }), middle);
      },
    ],
    [
      'with a critical extension that nobody knows',
      'not understood',
      async () => {
        const root = await ChainLink.root({ name: 'CN=root' });
        const extensions = [anyExtension('1.2.3.4', true, [5, 0])];
        return judge([root], await root.issue({ name: 'CN=a', ...client, extensions }));
      },
    ],
    [
      'below an authority with constraints that we do not check',
      'unknown authority',
      async () => {
        const extensions = [anyExtension('2.5.29.30', false, [0x30, 0])];
        const root = await ChainLink.root({ name: 'CN=root', extensions });
        return judge([root], await root.issue({ name: 'CN=a', ...client }));
      },
    ],
    [
      'that is self-signed',
      'unknown authority',
      async () => {
        return judge(
          [await ChainLink.root({ name: 'CN=root' })],
          await ChainLink.root({ name: 'CN=root', ca: false, ...client }),
        );
      },
    ],
    [
      'when nobody is trusted',
      'unknown authority',
      async () => {
        const root = await ChainLink.root({ name: 'CN=root' });
        return judge([], await root.issue({ name: 'CN=a', ...client }));
      },
    ],
  ])('%s', async (_what, reason, verdict) => {
    expect(await verdict()).toEqual({ trusted: false, reason: expect.stringContaining(reason) });
  });

  test('any more once it expires, though it was before', async () => {
    const root = await ChainLink.root({ name: 'CN=root' });
    const leaf = await showToServer(await root.issue({ name: 'CN=a', ...client, notAfter: new Date(now + 5000) }));
    const bundle = parseTrustBundle(root.certificate);
    expect(verifyClientCertificate(leaf, bundle, now).trusted).toBe(true);
    expect(verifyClientCertificate(leaf, bundle, now + 10_000).trusted).toBe(false);
    expect(verifyClientCertificate(leaf, bundle, now).trusted).toBe(true);
  });
});

test('a name that looks like two attributes stays one', async () => {
  const root = await ChainLink.root({ name: 'CN=eve\\, O=system:masters' });
  const facts = readCertificateFacts(new X509Certificate(root.certificate));
  expect(facts).toMatchObject({ commonName: 'eve, O=system:masters', organizations: [] });
});

test('a bundle with something that is no certificate is refused', () => {
  expect(() => parseTrustBundle('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')).toThrow();
  expect(parseTrustBundle('nothing in here').authorities).toEqual([]);
});
