import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tenantFixture } from '../../../../test/env/tenant.ts';
import { validate } from '../../../apimachinery/schema/validation.ts';
import { newServiceUnavailable } from '../../../apimachinery/status.ts';
import type { ConnectRequest } from '../../../apiserver/registry/definition.ts';
import { FakeClock } from '../../../base/fake-clock.ts';
import type { BootstrapToken } from '../../../pki/bootstrap-token.ts';
import type { CertificateAndKey } from '../../../pki/certificate-and-key.ts';
import { caCertHash } from '../../../pki/inspect.ts';
import { createCertificateAuthority } from '../../../pki/issue.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { createJoinTokenSubresource, type JoinToken } from './join-token.ts';

const clock = new FakeClock();

describe('the join-token subresource', () => {
  let ca: CertificateAndKey;
  let stored: { readonly token: BootstrapToken; readonly expiresAt: Date }[];
  let storing: () => Promise<void>;
  beforeAll(async () => {
    ca = await createCertificateAuthority({ subject: { commonName: 'kubernetes' }, now: new Date(clock.now()) });
  });
  beforeEach(() => {
    stored = [];
    storing = () => Promise.resolve();
  });

  const subresource = () =>
    createJoinTokenSubresource({
      clock,
      readAuthority: () => Promise.resolve(ca),
      async storeToken(_tenant, token, expiresAt) {
        await storing();
        stored.push({ token, expiresAt });
      },
    });
  const tenant: TenantControlPlane = { ...tenantFixture(), status: { controlPlaneEndpoint: '[fd00::1]:6443' } };
  const request = (change: Partial<ConnectRequest> = {}): ConnectRequest => ({
    verb: 'create',
    user: { name: 'jane', groups: [], extra: {} },
    body: {},
    dryRun: false,
    signal: new AbortController().signal,
    ...change,
  });
  const connect = async (change: Partial<ConnectRequest> = {}, parent = tenant) =>
    (await subresource().connect(parent, request(change))) as JoinToken;

  it('answers a token that the tenant knows, and the line to join with', async () => {
    const answer = await connect();
    const { token, caCertHashes, endpoint, joinCommand, expirationTimestamp } = answer.status;
    expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    expect(stored.map((one) => `${one.token.id}.${one.token.secret}`)).toEqual([token]);
    expect(stored[0]?.expiresAt).toEqual(new Date(clock.now() + 3_600_000));
    expect(expirationTimestamp).toBe('2026-01-01T01:00:00Z');
    expect(caCertHashes).toEqual([caCertHash(ca.certificate)]);
    expect(caCertHashes[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(endpoint).toBe('[fd00::1]:6443');
    expect(joinCommand).toBe(
      `kubeadm join [fd00::1]:6443 --token ${token} --discovery-token-ca-cert-hash ${caCertHashes[0] ?? ''}`,
    );
    expect(answer).toMatchObject({
      apiVersion: 'kamaji.io/v1alpha1',
      kind: 'JoinToken',
      metadata: { name: 't1', namespace: 'team-a', creationTimestamp: '2026-01-01T00:00:00Z' },
    });
    expect(validate(subresource().responseSchema, answer as never)).toEqual([]);
  });

  it('mints a new one for every call', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, async () => (await connect()).status.token));
    expect(new Set(tokens).size).toBe(20);
    expect(stored).toHaveLength(20);
  });

  it('stores nothing on a dry run', async () => {
    expect((await connect({ dryRun: true })).status.token).toMatch(/^[a-z0-9]{6}\./);
    expect(stored).toEqual([]);
  });

  it('ends when asked for, within bounds; nothing is stored for what is refused', async () => {
    const answer = await connect({ body: { spec: { expirationSeconds: 86_400 } } });
    expect(answer.status.expirationTimestamp).toBe('2026-01-02T00:00:00Z');
    for (const expirationSeconds of [1, 599, 86_401]) {
      await expect(connect({ body: { spec: { expirationSeconds } } })).rejects.toMatchObject({
        status: { code: 422, details: { kind: 'JoinTokenRequest', causes: [{ field: 'spec.expirationSeconds' }] } },
      });
    }
    expect(stored).toHaveLength(1);
  });

  it('gives out no token that the tenant did not take', async () => {
    storing = () => Promise.reject(newServiceUnavailable('the API of t1 does not take a token now', 1));
    await expect(connect()).rejects.toMatchObject({ status: { code: 503, details: { retryAfterSeconds: 1 } } });
  });

  it('answers 503 while the tenant has no address', async () => {
    await expect(connect({}, tenantFixture())).rejects.toMatchObject({ status: { code: 503 } });
    expect(stored).toEqual([]);
  });

  it('shows no secret in a table', async () => {
    const answer = await connect();
    const row = subresource().row(answer, tenant);
    expect(row).toEqual(['t1', '[fd00::1]:6443', '2026-01-01T01:00:00Z', 'hidden: use -o yaml']);
    expect(subresource().columns).toHaveLength(row.length);
    expect(subresource()).toMatchObject({ verbs: ['get', 'create'], alsoRequiresVerb: 'create', sensitive: true });
  });
});
