import { describe, expect, it } from 'vitest';
import type { TenantControlPlane } from '../api/tenant-control-plane.ts';
import { judgeWrite, type AdmissionReview } from './guard.ts';

const owner = { apiVersion: 'kamaji.io/v1alpha1', kind: 'TenantControlPlane', name: 't', uid: 'u1', controller: true };
const secret = (
  changes: {
    data?: Record<string, string>;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  } = {},
) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 't-ca',
    namespace: 'team',
    labels: changes.labels ?? { 'kamaji.io/irreplaceable': 'true' },
    annotations: changes.annotations ?? {},
    ownerReferences: [owner],
  },
  data: changes.data ?? { 'ca.key': 'a2V5', 'ca.crt': 'Y3J0' },
});
const review = (operation: string, username: string, object: ReturnType<typeof secret> | null): AdmissionReview => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'r1',
    operation,
    namespace: 'team',
    name: 't-ca',
    userInfo: { username },
    object,
    oldObject: secret(),
  },
});
const tenant = (uid: string, deletionTimestamp?: string): TenantControlPlane =>
  ({
    metadata: { name: 't', namespace: 'team', uid, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
  }) as TenantControlPlane;
const judge = async (asked: AdmissionReview, live: TenantControlPlane | undefined) =>
  (await judgeWrite(asked, { trustedUsers: ['us'], findTenant: () => Promise.resolve(live) }))?.response;

describe('the guard of root Secrets', () => {
  it.each([
    ['a deletion by a person', review('DELETE', 'admin', null)],
    ['another key', review('UPDATE', 'admin', secret({ data: { 'ca.key': 'b3RoZXI=', 'ca.crt': 'Y3J0' } }))],
    ['taking the mark away', review('UPDATE', 'admin', secret({ labels: {} }))],
  ])('refuses %s while the tenant lives, and says what to do', async (_what, asked) => {
    const answer = await judge(asked, tenant('u1'));
    expect(answer).toMatchObject({ uid: 'r1', allowed: false, status: { code: 403 } });
    expect(answer?.status?.message).toContain('delete the TenantControlPlane');
    expect(JSON.stringify(answer)).not.toContain('a2V5');
  });

  it.each([
    ['ourselves', review('DELETE', 'us', null), tenant('u1')],
    ['annotations', review('UPDATE', 'admin', secret({ annotations: { a: 'b' } })), tenant('u1')],
    ['the end of the tenant', review('DELETE', 'gc', null), tenant('u1', '2026-01-01T00:00:00Z')],
    ['a tenant that is gone', review('DELETE', 'gc', null), undefined],
    ['a Secret of an earlier tenant of that name', review('DELETE', 'gc', null), tenant('u2')],
  ])('lets pass: %s', async (_what, asked, live) => {
    expect(await judge(asked, live)).toMatchObject({ allowed: true });
  });

  it('answers nothing to what is no AdmissionReview', async () => {
    for (const asked of [{}, { kind: 'AdmissionReview' }, { kind: 'AdmissionReview', request: { uid: 5 } }]) {
      expect(await judge(asked, undefined)).toBeUndefined();
    }
  });

  it('asks about the tenant that owns the Secret, and nobody else', async () => {
    const asked: string[] = [];
    const findTenant = (namespace: string, name: string) => {
      asked.push(`${namespace}/${name}`);
      return Promise.resolve(tenant('u1'));
    };
    await judgeWrite(review('DELETE', 'admin', null), { trustedUsers: ['us'], findTenant });
    expect(asked).toEqual(['team/t']);
    const foreign = {
      ...secret(),
      metadata: { ...secret().metadata, ownerReferences: [{ ...owner, apiVersion: 'other.io/v1' }] },
    };
    const answer = await judgeWrite(
      {
        ...review('DELETE', 'admin', null),
        request: { ...review('DELETE', 'admin', null).request, oldObject: foreign },
      },
      { trustedUsers: ['us'], findTenant },
    );
    expect(answer?.response.allowed).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['a text for a Secret', { oldObject: 'x' }],
    ['no metadata', { oldObject: {} }],
    ['labels that are a list', { oldObject: { metadata: { labels: [] } } }],
    [
      'owners that are none',
      { oldObject: { metadata: { labels: { 'kamaji.io/irreplaceable': 'true' }, ownerReferences: 'x' } } },
    ],
    [
      'an owner that is null',
      { oldObject: { metadata: { labels: { 'kamaji.io/irreplaceable': 'true' }, ownerReferences: [null] } } },
    ],
    ['a user that is a number', { oldObject: secret(), userInfo: 5, operation: {} }],
  ])('is not confused by %s', async (_what, request) => {
    const asked = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'r1', ...request } };
    expect(await judge(asked as unknown as AdmissionReview, tenant('other'))).toMatchObject({
      uid: 'r1',
      allowed: true,
    });
  });
});
