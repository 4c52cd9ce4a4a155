import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { tenantFixture } from '../../../test/env/tenant.ts';
import type { KubeObject } from '../../apimachinery/object.ts';
import type { CertificateAndKey } from '../../pki/certificate-and-key.ts';
import { parseCertificate } from '../../pki/inspect.ts';
import { createCertificateAuthority } from '../../pki/issue.ts';
import { adminClusterComponents } from './admin-cluster/all.ts';
import { existingSecrets, type ExistingSecrets, type LiveSecret } from './existing-secrets.ts';
import { ANNOTATION_ROTATE, tenantObjectNames } from './names.ts';
import { ProvisioningError } from './provisioning-error.ts';
import { planLeaves, planRoots, type LeavesQuestion, type PlannedLeaves } from './tenant-pki.ts';
import type { TenantInput, TenantRoots } from './tenant-input.ts';

const DAY_MS = 86_400_000;
const now = new Date('2030-01-01T00:00:00Z');
const names = tenantObjectNames('t1');
const tenant = tenantFixture();
const endpoint = { host: '192.0.2.10', port: 6443, clusterIp: '10.96.178.108' };
const storage = {
  dataStoreName: 'default',
  driver: 'etcd',
  endpoints: ['etcd:2379'],
  schema: 's',
  username: 'team-a_t1',
} as const;

/** The Secrets as they would be read back from the admin cluster. */
function stored(
  input: Omit<TenantInput, 'tenant'> & Partial<TenantInput>,
  change?: (secret: LiveSecret) => LiveSecret | undefined,
): ExistingSecrets {
  const full = { tenant, ...input };
  const live = adminClusterComponents
    .flatMap((component) => component.desired(full))
    .filter((object): object is KubeObject & LiveSecret => object.kind === 'Secret')
    .map((secret) => ({ ...secret, metadata: { ...secret.metadata, ownerReferences: [owner] } }))
    .map((secret) => (change === undefined ? secret : change(secret)))
    .filter((secret) => secret !== undefined);
  return existingSecrets(tenant.metadata.uid ?? '', live);
}

const owner = {
  apiVersion: 'kamaji.io/v1alpha1',
  kind: 'TenantControlPlane',
  name: 't1',
  uid: tenant.metadata.uid ?? '',
};

describe('the PKI of a tenant', () => {
  let roots: TenantRoots;
  let dataStoreCa: CertificateAndKey;
  let first: PlannedLeaves;
  let question: LeavesQuestion;

  beforeAll(async () => {
    dataStoreCa = await createCertificateAuthority({ subject: { commonName: 'etcd-ca' }, now });
    const planned = await planRoots(tenant, new Map(), now);
    expect(planned.missing).toEqual([names.ca, names.frontProxyCa, names.serviceAccountKeys]);
    roots = planned.roots;
    question = { tenant, endpoint, storage, roots, existing: new Map(), dataStoreCa, now };
    first = await planLeaves(question);
  });

  const inputOf = (planned: PlannedLeaves) => ({ endpoint, storage, pki: planned.pki });
  const again = (change: Partial<LeavesQuestion> = {}, secrets?: (secret: LiveSecret) => LiveSecret | undefined) =>
    planLeaves({ ...question, existing: stored(inputOf(first), secrets), ...change });
  const changed = async (change?: Partial<LeavesQuestion>, secrets?: (secret: LiveSecret) => LiveSecret | undefined) =>
    (await again(change, secrets)).changes.map(
      ({ secret, certificate, reason }) => `${secret} ${certificate} ${reason}`,
    );
  const only = (name: string, edit: (secret: LiveSecret) => LiveSecret | undefined) => (secret: LiveSecret) =>
    secret.metadata.name === name ? edit(secret) : secret;
  const withData = (data: Readonly<Record<string, string>>) => (secret: LiveSecret) => ({
    ...secret,
    data: Object.fromEntries(Object.entries({ ...secret.data, ...data }).filter(([, value]) => value !== '')),
  });

  it('is made of kubeadm names, each signed by its authority, for its purpose only', () => {
    const { pki } = first;
    const rows: [CertificateAndKey, CertificateAndKey, string, readonly string[], readonly string[]][] = [
      [pki.apiServer, roots.ca, 'kube-apiserver', [], ['server']],
      [pki.apiServerKubeletClient, roots.ca, 'kube-apiserver-kubelet-client', [], ['client']],
      [pki.frontProxyClient, roots.frontProxyCa, 'front-proxy-client', [], ['client']],
      [pki.dataStoreClient, dataStoreCa, 'team-a_t1', [], ['client']],
      [pki.admin, roots.ca, 'kubernetes-admin', ['kubeadm:cluster-admins'], ['client']],
      [pki.superAdmin, roots.ca, 'kubernetes-super-admin', ['system:masters'], ['client']],
      [pki.controllerManager, roots.ca, 'system:kube-controller-manager', [], ['client']],
      [pki.scheduler, roots.ca, 'system:kube-scheduler', [], ['client']],
      [pki.konnectivityServer ?? pki.admin, roots.ca, 'system:konnectivity-server', [], ['client']],
    ];
    for (const [leaf, authority, commonName, organizations, usages] of rows) {
      const certificate = parseCertificate(leaf.certificate);
      const issuer = new X509Certificate(authority.certificate);
      expect(certificate.subject).toEqual({ commonName, organizations });
      expect(certificate.usages).toEqual(usages);
      expect(certificate.x509.checkIssued(issuer) && certificate.x509.verify(issuer.publicKey)).toBe(true);
      expect(certificate.notAfter).toEqual(new Date(now.getTime() + 365 * DAY_MS));
    }
    expect(parseCertificate(roots.ca.certificate).notAfter).toEqual(new Date(now.getTime() + 3650 * DAY_MS));
    expect(first.authorityNotAfter).toEqual(new Date(now.getTime() + 3650 * DAY_MS));
    const serving = parseCertificate(pki.apiServer.certificate);
    expect(serving.dnsNames).toContain('t1.team-a.svc.cluster.local');
    expect(serving.ipAddresses).toEqual(['10.96.0.1', '10.96.178.108', '127.0.0.1', '192.0.2.10']);
    expect(new Set(rows.map(([leaf]) => leaf.key)).size).toBe(rows.length);
    expect(first.changes.map(({ reason }) => reason)).toEqual(Array(9).fill('Missing'));
  });

  it('stays as it is', async () => {
    const second = await again();
    expect(second).toMatchObject({ changes: [], rotated: [], pki: first.pki });
    const rootsAgain = await planRoots(tenant, stored(inputOf(first)), now);
    expect(rootsAgain).toEqual({ roots, missing: [] });
    expect(second.nextRenewal.getTime() / DAY_MS).toBeCloseTo(now.getTime() / DAY_MS + (365 * 2) / 3, 1);
    expect(first.nextRenewal.getTime() / DAY_MS).toBeCloseTo(second.nextRenewal.getTime() / DAY_MS, 1);
  });

  it('replaces what is gone, damaged, or no longer as wanted, and nothing else', async () => {
    const apiServer = `${names.apiServer} kube-apiserver`;
    expect(
      await changed(
        {},
        only(names.apiServer, () => undefined),
      ),
    ).toEqual([`${apiServer} Missing`]);
    expect(await changed({}, only(names.apiServer, withData({ 'apiserver.key': '' })))).toEqual([
      `${apiServer} Missing`,
    ]);
    expect(await changed({}, only(names.apiServer, withData({ 'apiserver.crt': 'eA==' })))).toEqual([
      `${apiServer} Unparsable`,
    ]);
    expect(await changed({ endpoint: { ...endpoint, host: 'api.example.test' } })).toEqual([
      `${apiServer} NamesChanged`,
    ]);
    expect(await changed({ storage: { ...storage, username: 'other' } })).toEqual([
      `${names.dataStoreCertificate} other SubjectChanged`,
    ]);
    const otherStore = await createCertificateAuthority({ subject: { commonName: 'etcd-ca' }, now });
    expect(await changed({ dataStoreCa: otherStore })).toEqual([
      `${names.dataStoreCertificate} team-a_t1 WrongAuthority`,
    ]);
    expect(await changed({}, only(names.adminKubeconfig, withData({ 'admin.conf': 'ew==' })))).toEqual([
      `${names.adminKubeconfig} kubernetes-admin Missing`,
    ]);
    const otherCa = await createCertificateAuthority({ subject: { commonName: 'kubernetes' }, now });
    expect(await changed({ roots: { ...roots, ca: otherCa } })).toHaveLength(7);
    const rsa = tenantFixture({ kubernetes: { encryptionAlgorithm: 'RSA-2048' } });
    expect(await changed({ tenant: rsa })).toHaveLength(9);
  });

  it('renews in time', async () => {
    const after = (days: number) => new Date(now.getTime() + days * DAY_MS);
    expect(await changed({ now: after(243) })).toEqual([]);
    expect(await changed({ now: after(244) })).toHaveLength(9);
    expect(await changed({ now: after(244), renewBeforeMs: 10 * DAY_MS })).toEqual([]);
    expect(await changed({ now: after(356), renewBeforeMs: 10 * DAY_MS })).toHaveLength(9);
  });

  it('rotates when the annotation asks for it, until it tells that it was done', async () => {
    const annotate = (value: string) =>
      only(names.adminKubeconfig, (secret) => ({
        ...secret,
        metadata: { ...secret.metadata, annotations: { [ANNOTATION_ROTATE]: value } },
      }));
    const rotated = await again({}, annotate(''));
    expect(rotated.rotated).toEqual([names.adminKubeconfig]);
    expect(rotated.changes.map(({ certificate, reason }) => `${certificate} ${reason}`)).toEqual([
      'kubernetes-admin RotationRequested',
      'kubernetes-super-admin RotationRequested',
    ]);
    expect(await again({}, annotate('2030-01-01T00:00:00Z'))).toMatchObject({ changes: [], rotated: [] });
  });

  it('has no certificate for konnectivity where that is off', async () => {
    const off = tenantFixture({ addons: { konnectivity: { enabled: false } } });
    const planned = await again({ tenant: off });
    expect(planned.pki.konnectivityServer).toBeUndefined();
    expect(planned.changes).toEqual([]);
  });

  it('never replaces a root', async () => {
    const plan = (edit: (secret: LiveSecret) => LiveSecret | undefined) =>
      planRoots(tenant, stored(inputOf(first), edit), now);
    const other = Buffer.from((await createCertificateAuthority({ subject: { commonName: 'a' }, now })).key).toString(
      'base64',
    );
    for (const [name, data, message] of [
      [names.ca, { 'ca.key': '' }, `Secret ${names.ca} has no ca.key; `],
      [names.ca, { 'ca.crt': 'eA==' }, `Secret ${names.ca} is damaged: the certificate is not valid PEM`],
      [names.ca, { 'ca.key': other }, `Secret ${names.ca} is damaged: the private key does not belong`],
      [
        names.frontProxyCa,
        { 'front-proxy-ca.key': 'eA==' },
        `Secret ${names.frontProxyCa} is damaged: the private key is not valid`,
      ],
      [
        names.serviceAccountKeys,
        { 'sa.key': other },
        `Secret ${names.serviceAccountKeys} is damaged: sa.key and sa.pub do not belong`,
      ],
      [names.serviceAccountKeys, { 'sa.pub': '' }, `Secret ${names.serviceAccountKeys} has no sa.pub; `],
    ] as const) {
      const planned = plan(only(name, withData(data)));
      await expect(planned, message).rejects.toBeInstanceOf(ProvisioningError);
      await expect(planned).rejects.toMatchObject({
        code: 'RootSecretUnusable',
        message: expect.stringContaining(message) as string,
      });
    }
    const partly = await plan(only(names.frontProxyCa, () => undefined));
    expect(partly.missing).toEqual([names.frontProxyCa]);
    expect(partly.roots.ca).toEqual(roots.ca);
  });

  it('tells what it cannot do', async () => {
    await expect(again({ dataStoreCa: first.pki.apiServer })).rejects.toMatchObject({
      code: 'DataStoreAuthorityUnusable',
    });
    await expect(again({ now: new Date(now.getTime() + 3651 * DAY_MS) })).rejects.toMatchObject({
      code: 'RootSecretUnusable',
    });
    const wrongName = tenantFixture({ networkProfile: { certSANs: ['not a name'] } });
    await expect(again({ tenant: wrongName })).rejects.toMatchObject({
      code: 'CertificateRefused',
      message: expect.stringContaining('"not a name"') as string,
    });
    const foreign: LiveSecret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: names.ca }, data: {} };
    expect(() => existingSecrets(owner.uid, [foreign])).toThrow(
      expect.objectContaining({ code: 'ForeignSecret' }) as Error,
    );
  });

  it('takes little of the processor', async () => {
    const before = process.cpuUsage();
    for (let round = 0; round < 20; round++) {
      const planned = await planRoots(tenant, new Map(), now);
      await planLeaves({ ...question, roots: planned.roots });
    }
    const { user, system } = process.cpuUsage(before);
    // Some 4 ms where it was measured; 40 ms a tenant is the limit.
    expect((user + system) / 1000 / 20).toBeLessThan(40);
  });
});

describe('RSA', () => {
  it('is made of RSA keys throughout', async () => {
    const rsa = tenantFixture({ kubernetes: { encryptionAlgorithm: 'RSA-2048' } });
    const { roots } = await planRoots(rsa, new Map(), now);
    const dataStoreCa = await createCertificateAuthority({ subject: { commonName: 'etcd-ca' }, now });
    const { pki } = await planLeaves({ tenant: rsa, endpoint, storage, roots, existing: new Map(), dataStoreCa, now });
    for (const pair of [pki.ca, pki.frontProxyCa, pki.apiServer, pki.dataStoreClient, pki.admin]) {
      expect(parseCertificate(pair.certificate).keyAlgorithm).toBe('RSA-2048');
    }
    expect(pki.serviceAccount.privateKey).toContain('BEGIN RSA PRIVATE KEY');
  });
});
