import { createPublicKey } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { tenantFixture } from '../../../../test/env/tenant.ts';
import { newServiceUnavailable, isStatusError } from '../../../apimachinery/status.ts';
import { validate } from '../../../apimachinery/schema/validation.ts';
import type { ConnectRequest } from '../../../apiserver/registry/definition.ts';
import { FakeClock } from '../../../base/fake-clock.ts';
import type { CertificateAndKey } from '../../../pki/certificate-and-key.ts';
import { isIssuedBy, matchesKey, parseCertificate } from '../../../pki/inspect.ts';
import { createCertificateAuthority } from '../../../pki/issue.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import type { Kubeconfig } from '../../provisioning/kubeconfig.ts';
import { createKubeconfigSubresource } from './kubeconfig.ts';

const clock = new FakeClock();
const HOUR_MS = 3_600_000;

describe('the kubeconfig subresource', () => {
  let ca: CertificateAndKey;
  beforeAll(async () => {
    ca = await createCertificateAuthority({ subject: { commonName: 'kubernetes' }, now: new Date(clock.now()) });
  });

  const subresource = () => createKubeconfigSubresource({ readAuthority: () => Promise.resolve(ca), clock });
  const tenant: TenantControlPlane = { ...tenantFixture(), status: { controlPlaneEndpoint: '192.0.2.10:6443' } };
  const request = (change: Partial<ConnectRequest> = {}): ConnectRequest => ({
    verb: 'get',
    user: { name: 'jane', groups: ['system:masters', 'dev'], extra: {} },
    body: {},
    dryRun: false,
    signal: new AbortController().signal,
    ...change,
  });
  const connect = async (change: Partial<ConnectRequest> = {}, parent = tenant) =>
    (await subresource().connect(parent, request(change))) as Kubeconfig;
  const credential = (config: Kubeconfig): CertificateAndKey => {
    const user = config.users[0]?.user;
    if (user === undefined || !('client-certificate-data' in user)) throw new Error('no certificate');
    const decode = (text: string): string => Buffer.from(text, 'base64').toString('utf8');
    return { certificate: decode(user['client-certificate-data']), key: decode(user['client-key-data']) };
  };

  it('answers a configuration that works as it is', async () => {
    const config = await connect();
    expect(config).toMatchObject({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'kamaji:jane@t1',
      contexts: [{ name: 'kamaji:jane@t1', context: { cluster: 't1', user: 'kamaji:jane' } }],
      clusters: [{ name: 't1', cluster: { server: 'https://192.0.2.10:6443' } }],
    });
    expect(Buffer.from(config.clusters[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString()).toBe(
      ca.certificate,
    );
    expect(validate(subresource().responseSchema, config as never)).toEqual([]);
  });

  it('holds a certificate of the tenant for the caller: an administrator, never beyond RBAC, for an hour', async () => {
    const pair = credential(await connect());
    const certificate = parseCertificate(pair.certificate);
    expect(isIssuedBy(certificate, parseCertificate(ca.certificate))).toBe(true);
    expect(matchesKey(certificate, pair.key)).toBe(true);
    expect(certificate.subject).toEqual({ commonName: 'kamaji:jane', organizations: ['kubeadm:cluster-admins'] });
    expect(certificate.usages).toEqual(['client']);
    expect(certificate.isAuthority).toBe(false);
    expect(certificate.notAfter.getTime() - clock.now()).toBe(HOUR_MS);
    expect(clock.now() - certificate.notBefore.getTime()).toBeLessThan(HOUR_MS);
  });

  it('makes a new key at every call', async () => {
    const [a, b] = [credential(await connect()), credential(await connect())];
    expect(a.key).not.toBe(b.key);
    expect(createPublicKey(a.key).equals(createPublicKey(b.key))).toBe(false);
  });

  it.each([
    'system:serviceaccount:a-namespace-of-many-letters-for-the-sake-of-it:a-service-account-with-a-long-name-of-its-own',
    'CN=root,O=system:masters',
    'a"b\\c\n+d/O=system:masters',
    'Ünïcødé 用户 🙂',
    'x'.repeat(1_000),
  ])('takes a user name for no more than a name: %s', async (name) => {
    const pair = credential(await connect({ user: { name, groups: [], extra: {} } }));
    expect(parseCertificate(pair.certificate).subject).toEqual({
      commonName: `kamaji:${name}`,
      organizations: ['kubeadm:cluster-admins'],
    });
  });

  it('lasts as long as asked for, within bounds', async () => {
    for (const expirationSeconds of [600, 7_200, 86_400]) {
      const pair = credential(await connect({ verb: 'create', body: { spec: { expirationSeconds } } }));
      expect(parseCertificate(pair.certificate).notAfter.getTime() - clock.now()).toBe(expirationSeconds * 1_000);
    }
    for (const expirationSeconds of [599, 86_401, 0, -1, 1_000.5]) {
      await expect(connect({ verb: 'create', body: { spec: { expirationSeconds } } })).rejects.toMatchObject({
        status: { code: 422, details: { causes: [{ field: 'spec.expirationSeconds' }] } },
      });
    }
  });

  it('never outlasts the authority', async () => {
    const soon = await createCertificateAuthority({
      subject: { commonName: 'kubernetes' },
      now: new Date(clock.now()),
      lifetimeMs: HOUR_MS / 2,
    });
    const short = createKubeconfigSubresource({ readAuthority: () => Promise.resolve(soon), clock });
    const pair = credential((await short.connect(tenant, request())) as Kubeconfig);
    expect(parseCertificate(pair.certificate).notAfter).toEqual(parseCertificate(soon.certificate).notAfter);
  });

  it('answers 503 that says what the tenant waits for, while there is no address or no CA', async () => {
    const young = tenantFixture();
    await expect(connect({}, young)).rejects.toMatchObject({ status: { code: 503, reason: 'ServiceUnavailable' } });
    await expect(connect({}, young)).rejects.toThrow('t1 is not provisioned yet: it has just been created');
    const waiting = {
      ...young,
      status: {
        conditions: [
          { type: 'Ready', status: 'False', reason: 'X', message: 'Service t1 has no address', lastTransitionTime: '' },
        ],
      },
    } as TenantControlPlane;
    await expect(connect({}, waiting)).rejects.toThrow('not provisioned yet: Service t1 has no address');
    const closed = createKubeconfigSubresource({
      readAuthority: () => Promise.reject(newServiceUnavailable('no CA')),
      clock,
    });
    const error = await closed.connect(tenant, request()).catch((thrown: unknown) => thrown);
    expect(isStatusError(error, 'ServiceUnavailable')).toBe(true);
  });

  it('shows no secret in a table', async () => {
    const config = await connect();
    const row = subresource().row(config, tenant);
    expect(row).toEqual(['t1', 'https://192.0.2.10:6443', 'kamaji:jane', 'hidden: use -o yaml']);
    expect(subresource().columns).toHaveLength(row.length);
  });

  it('asks for a second right, as its answer is a credential', () => {
    expect(subresource()).toMatchObject({ verbs: ['get', 'create'], alsoRequiresVerb: 'create', sensitive: true });
  });
});
