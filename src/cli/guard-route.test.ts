import { describe, expect, it } from 'vitest';
import { tenantFixture } from '../../test/env/tenant.ts';
import type { ObjectReader } from '../apiserver/admission/admission.ts';
import type { TenantControlPlane } from '../tenancy/api/tenant-control-plane.ts';
import { createGuardRoute } from './guard-route.ts';

const tenant = tenantFixture();
const asked: string[] = [];
const reader = {
  get: (plural: string, namespace: string, name: string): Promise<TenantControlPlane | undefined> => {
    asked.push(`${plural} ${namespace}/${name}`);
    return Promise.resolve(name === 't1' ? tenant : undefined);
  },
} as unknown as ObjectReader;
const route = createGuardRoute({ namespace: 'our-place' }, () => reader);

const deletion = (username: string, ownerName = 't1'): object => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'r1',
    operation: 'DELETE',
    namespace: 'team-a',
    name: 't1-ca',
    userInfo: { username },
    object: null,
    oldObject: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 't1-ca',
        labels: { 'kamaji.io/irreplaceable': 'true' },
        ownerReferences: [
          { apiVersion: 'kamaji.io/v1alpha1', kind: 'TenantControlPlane', name: ownerName, uid: tenant.metadata.uid },
        ],
      },
    },
  },
});
const allowed = async (review: object): Promise<unknown> => {
  const answer = (await route.answer(review)) as { readonly response: { readonly allowed: boolean } } | undefined;
  return answer?.response.allowed;
};

describe('the guard in the program', () => {
  it('is where the webhook configuration says', () => {
    expect(route.path).toBe('/webhooks/guard');
  });

  it('asks our own storage for the tenant', async () => {
    expect(await allowed(deletion('jane'))).toBe(false);
    expect(asked).toEqual(['tenantcontrolplanes team-a/t1']);
    expect(await allowed(deletion('jane', 'gone'))).toBe(true);
  });

  it('lets our own ServiceAccount through, and none of that name from elsewhere', async () => {
    expect(await allowed(deletion('system:serviceaccount:our-place:kamaji'))).toBe(true);
    expect(await allowed(deletion('system:serviceaccount:kamaji-system:kamaji'))).toBe(false);
    expect(await allowed(deletion('kamaji'))).toBe(false);
  });

  it('answers nothing to what is no review', async () => {
    expect(await route.answer({ kind: 'Pod' })).toBeUndefined();
    expect(await route.answer([])).toBeUndefined();
  });
});
