import type { ObjectReader } from '../apiserver/admission/admission.ts';
import type { PublicRoute } from '../apiserver/public-route.ts';
import type { TenantControlPlane } from '../tenancy/api/tenant-control-plane.ts';
import { judgeWrite, type AdmissionReview } from '../tenancy/webhooks/guard.ts';

/** The webhook that `webhooks/guard.yaml` registers. */
export function createGuardRoute(flags: { readonly namespace: string }, reader: () => ObjectReader): PublicRoute {
  return {
    path: '/webhooks/guard',
    answer: (review) =>
      judgeWrite(review as AdmissionReview, {
        trustedUsers: [`system:serviceaccount:${flags.namespace}:kamaji`],
        findTenant: (namespace, name) => reader().get<TenantControlPlane>('tenantcontrolplanes', namespace, name),
      }),
  };
}
