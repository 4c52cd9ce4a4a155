import { beforeAll, describe, expect, it } from 'vitest';
import type { CertificateAndKey } from './certificate-and-key.ts';
import {
  AUTHORITY_LIFETIME_MS,
  createCertificateAuthority,
  issueCertificate,
  openAuthority,
  type CertificateRequest,
} from './issue.ts';
import { decideRenewal, type RenewalQuestion } from './renewal.ts';

const DAY_MS = 86_400_000;
const now = new Date('2030-01-01T00:00:00Z');
const later = (days: number) => new Date(now.getTime() + days * DAY_MS);
const wanted: CertificateRequest = {
  subject: { commonName: 'a', organizations: ['x', 'y'] },
  usages: ['server', 'client'],
  names: ['localhost', '10.0.0.1', '2001:db8::1'],
};

describe('decideRenewal', () => {
  let ca: CertificateAndKey;
  let sameNameCa: CertificateAndKey;
  let existing: CertificateAndKey;
  const reason = (question: Partial<RenewalQuestion>) => {
    const decision = decideRenewal({ existing, wanted, authorityCertificate: ca.certificate, now, ...question });
    return decision.renew ? decision.reason : 'keep';
  };

  beforeAll(async () => {
    ca = await createCertificateAuthority({ subject: { commonName: 'kubernetes' }, now });
    sameNameCa = await createCertificateAuthority({ subject: { commonName: 'kubernetes' }, now });
    existing = await issueCertificate(openAuthority(ca), wanted, now);
  });

  it('keeps what is as wanted, and says until when', () => {
    const decision = decideRenewal({ existing, wanted, authorityCertificate: ca.certificate, now });
    expect(decision).toMatchObject({ renew: false, current: existing, notAfter: later(365) });
    const renewAt = decision.renew ? now : decision.renewAt;
    expect(Math.abs(renewAt.getTime() - later((365 * 2) / 3).getTime())).toBeLessThan(10 * 60_000);
    expect(reason({ now: new Date(renewAt.getTime() - 1000) })).toBe('keep');
    expect(reason({ now: renewAt })).toBe('Expiring');
  });

  it('does not mind order, duplicates and spelling', () => {
    const names = ['2001:DB8:0:0::1', 'LOCALHOST', 'localhost', '10.0.0.1'];
    const subject = { commonName: 'a', organizations: ['y', 'x'] };
    expect(reason({ wanted: { subject, names, usages: ['client', 'server'] } })).toBe('keep');
  });

  it.each<[string, () => Partial<RenewalQuestion>]>([
    ['Missing', () => ({ existing: undefined })],
    ['Missing', () => ({ existing: { certificate: existing.certificate } })],
    ['Missing', () => ({ existing: { ...existing, key: '' } })],
    ['Unparsable', () => ({ existing: { ...existing, certificate: 'x' } })],
    ['Unparsable', () => ({ existing: { ...existing, key: 'x' } })],
    ['KeyMismatch', () => ({ existing: { ...existing, key: ca.key } })],
    ['WrongAuthority', () => ({ authorityCertificate: sameNameCa.certificate })],
    ['SubjectChanged', () => ({ wanted: { ...wanted, subject: { commonName: 'b', organizations: ['x', 'y'] } } })],
    ['SubjectChanged', () => ({ wanted: { ...wanted, subject: { commonName: 'a', organizations: ['x'] } } })],
    ['SubjectChanged', () => ({ wanted: { ...wanted, subject: { commonName: 'a' } } })],
    ['NamesChanged', () => ({ wanted: { ...wanted, names: [] } })],
    ['NamesChanged', () => ({ wanted: { ...wanted, names: [...(wanted.names ?? []), '10.0.0.2'] } })],
    ['UsagesChanged', () => ({ wanted: { ...wanted, usages: ['server'] } })],
    ['KeyAlgorithmChanged', () => ({ wanted: { ...wanted, keyAlgorithm: 'RSA-2048' } })],
    ['Expiring', () => ({ renewBeforeMs: 31 * DAY_MS, now: later(335) })],
    ['keep', () => ({ renewBeforeMs: 29 * DAY_MS, now: later(335) })],
    ['Expiring', () => ({ now: later(400) })],
    ['NotYetValid', () => ({ now: later(-1) })],
    ['RotationRequested', () => ({ rotationRequested: true })],
    // A threshold beyond the lifetime must not mean renewal at every look.
    ['keep', () => ({ renewBeforeMs: 1000 * DAY_MS })],
  ])('%s (%#)', (expected, question) => {
    expect(reason(question())).toBe(expected);
  });

  it('does not renew over and over what cannot outlive its authority', async () => {
    const nearEnd = new Date(now.getTime() + AUTHORITY_LIFETIME_MS - 10 * DAY_MS);
    const last = await issueCertificate(openAuthority(ca), wanted, nearEnd);
    expect(reason({ existing: last, now: new Date(nearEnd.getTime() + 9 * DAY_MS) })).toBe('keep');
    expect(reason({ existing: last, now: new Date(nearEnd.getTime() + 10 * DAY_MS) })).toBe('Expiring');
  });

  it('names no key material', () => {
    const decision = decideRenewal({
      existing: { certificate: 'x', key: 'SECRET' },
      wanted,
      authorityCertificate: ca.certificate,
      now,
    });
    expect(JSON.stringify(decision)).not.toContain('SECRET');
  });
});
