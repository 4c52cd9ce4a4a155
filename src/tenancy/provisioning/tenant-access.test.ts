import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MemoryCluster } from '../../../test/env/memory-cluster.ts';
import { tenantFixture } from '../../../test/env/tenant.ts';
import type { KubeObject } from '../../apimachinery/object.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { SECRETS } from '../../kubeclient/resources.ts';
import type { CertificateAndKey } from '../../pki/certificate-and-key.ts';
import { isIssuedBy, parseCertificate } from '../../pki/inspect.ts';
import { createCertificateAuthority } from '../../pki/issue.ts';
import type { TenantControlPlane } from '../api/tenant-control-plane.ts';
import { createTenantAccess, type TenantAccess, type TenantClientOptions } from './tenant-access.ts';

const MINUTE_MS = 60_000;

class FakeClient extends MemoryCluster {
  closed = false;
  readonly options: TenantClientOptions;
  constructor(options: TenantClientOptions) {
    super();
    this.options = options;
  }
  override close(): void {
    this.closed = true;
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('the way into tenants', () => {
  let ca: CertificateAndKey;
  let otherCa: CertificateAndKey;
  let clock: FakeClock;
  let admin: MemoryCluster;
  let made: FakeClient[];
  let access: TenantAccess;

  beforeAll(async () => {
    const now = new Date(Date.UTC(2026, 0, 1));
    ca = await createCertificateAuthority({ subject: { commonName: 'kubernetes' }, now });
    otherCa = await createCertificateAuthority({ subject: { commonName: 'kubernetes' }, now });
  });
  beforeEach(async () => {
    clock = new FakeClock();
    // The cache takes the time 0 for no time at all.
    await clock.advance(1_000);
    admin = new MemoryCluster();
    made = [];
    access = createTenantAccess({
      adminClient: admin,
      clock,
      createClient(options) {
        const client = new FakeClient(options);
        made.push(client);
        return client;
      },
    });
  });

  const tenantNamed = (name: string): TenantControlPlane => {
    const fixture = tenantFixture();
    return { ...fixture, metadata: { ...fixture.metadata, name, uid: `uid-${name}` } };
  };
  const tenant = tenantNamed('t1');
  const putCa = (of: TenantControlPlane, pair: Partial<CertificateAndKey>, ownerUid = of.metadata.uid ?? ''): void => {
    const owner = { apiVersion: 'kamaji.io/v1alpha1', kind: 'TenantControlPlane', name: 't1', uid: ownerUid };
    admin.put(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${of.metadata.name ?? ''}-ca`, namespace: 'team-a', ownerReferences: [owner] },
      data: { 'ca.crt': base64(pair.certificate ?? ''), 'ca.key': base64(pair.key ?? '') },
    } as KubeObject);
  };

  it('is shut while there is no CA, half of one, or one of somebody else', async () => {
    expect(await access.readAuthority(tenant)).toBeUndefined();
    putCa(tenant, { certificate: ca.certificate });
    expect(await access.readAuthority(tenant)).toBeUndefined();
    putCa(tenant, ca, 'somebody-else');
    expect(await access.readAuthority(tenant)).toBeUndefined();
    expect(await access.clientFor(tenant)).toBeUndefined();
    putCa(tenant, ca);
    expect(await access.readAuthority(tenant)).toEqual(ca);
    expect(made).toEqual([]);
  });

  it('is a certificate for an hour, over the Service', async () => {
    putCa(tenant, ca);
    await access.clientFor(tenant);
    const [client] = made;
    expect(client?.options).toMatchObject({
      server: 'https://t1.team-a.svc:6443',
      serverName: 't1.team-a.svc',
      caCertificate: ca.certificate,
    });
    const certificate = parseCertificate(client?.options.client.certificate ?? '');
    expect(isIssuedBy(certificate, parseCertificate(ca.certificate))).toBe(true);
    expect(certificate.subject).toEqual({ commonName: 'kamaji:controllers', organizations: ['system:masters'] });
    expect(certificate.usages).toEqual(['client']);
    expect(certificate.notAfter.getTime()).toBe(clock.now() + 60 * MINUTE_MS);
  });

  it('is kept while it is used, and made anew when half of its time is over', async () => {
    putCa(tenant, ca);
    const first = await access.clientFor(tenant);
    for (let minute = 1; minute < 30; minute++) {
      await clock.advance(MINUTE_MS);
      expect(await access.clientFor(tenant)).toBe(first);
    }
    await clock.advance(MINUTE_MS);
    expect(await access.clientFor(tenant)).not.toBe(first);
    expect(made).toHaveLength(2);
  });

  it('is made anew when CA or port change', async () => {
    putCa(tenant, ca);
    await access.clientFor(tenant);
    putCa(tenant, otherCa);
    await access.clientFor(tenant);
    expect(made.map(({ options }) => options.caCertificate)).toEqual([ca.certificate, otherCa.certificate]);
    const moved = {
      ...tenant,
      spec: { ...tenant.spec, networkProfile: { ...tenant.spec.networkProfile, port: 7443 } },
    };
    await access.clientFor(moved);
    expect(made.at(-1)?.options.server).toBe('https://t1.team-a.svc:7443');
  });

  it('is one for all who come at once', async () => {
    putCa(tenant, ca);
    const clients = await Promise.all([1, 2, 3].map(() => access.clientFor(tenant)));
    expect(new Set(clients).size).toBe(1);
    expect(made).toHaveLength(1);
    expect(made[0]?.closed).toBe(false);
  });

  it('is not shut under a call by the next client', async () => {
    putCa(tenant, ca);
    await access.clientFor(tenant);
    putCa(tenant, otherCa);
    await access.clientFor(tenant);
    expect(made.map(({ closed }) => closed)).toEqual([false, false]);
    await clock.advance(2 * MINUTE_MS);
    expect(made.map(({ closed }) => closed)).toEqual([true, false]);
  });

  it('is shut when nobody has used it for minutes', async () => {
    const others = ['a', 'b', 'c'].map(tenantNamed);
    for (const one of [tenant, ...others]) {
      putCa(one, ca);
      await access.clientFor(one);
    }
    await clock.advance(3 * MINUTE_MS);
    await access.clientFor(tenant);
    await clock.advance(MINUTE_MS);
    expect(made.map(({ closed }) => closed)).toEqual([true, true, true, true, false]);
  });

  it('does not stay open for more tenants than it may', async () => {
    for (let i = 0; i < 300; i++) {
      const one = tenantNamed(`t-${i}`);
      putCa(one, ca);
      await access.clientFor(one);
    }
    await clock.advance(MINUTE_MS);
    expect(made.filter(({ closed }) => !closed)).toHaveLength(256);
    access.close();
    expect(made.filter(({ closed }) => !closed)).toEqual([]);
  }, 30_000);

  it('is shut at once for a tenant that is gone, and for all in the end', async () => {
    putCa(tenant, ca);
    const other = tenantNamed('other');
    putCa(other, ca);
    await access.clientFor(tenant);
    await access.clientFor(other);
    access.forget('uid-t1');
    expect(made.map(({ closed }) => closed)).toEqual([true, false]);
    access.forget('never-seen');
    putCa(other, otherCa);
    await access.clientFor(other);
    access.close();
    expect(made.map(({ closed }) => closed)).toEqual([true, true, true]);
  });

  it('fails for one caller alone when the admin cluster does', async () => {
    putCa(tenant, ca);
    admin.intercept = () => {
      throw new Error('the admin cluster is away');
    };
    await expect(access.clientFor(tenant)).rejects.toThrow('away');
    admin.intercept = () => undefined;
    expect(await access.clientFor(tenant)).toBe(made[0]);
  });
});
