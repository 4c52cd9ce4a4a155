import type { KubeObject } from '../../apimachinery/object.ts';
import type { TenantControlPlane } from '../api/tenant-control-plane.ts';
import { LABEL_IRREPLACEABLE } from '../provisioning/names.ts';

/** admission.k8s.io/v1 AdmissionReview, the part of it that is read. */
export interface AdmissionReview {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly request?: {
    readonly uid?: unknown;
    readonly operation?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly userInfo?: { readonly username?: string };
    readonly object?: GuardedSecret | null;
    readonly oldObject?: GuardedSecret | null;
  };
}

interface GuardedSecret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface AdmissionAnswer {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  };
}

export interface GuardOptions {
  /** Users whose business it is: our own ServiceAccount. */
  readonly trustedUsers: readonly string[];
  /** The live owner of a Secret; undefined when there is none. */
  findTenant(namespace: string, name: string): Promise<TenantControlPlane | undefined>;
}

/**
 * Judges a write to one of a tenant's root Secrets: neither deleted nor changed while the tenant lives, since nothing could make
 * it again. Undefined for what is no AdmissionReview.
 */
export async function judgeWrite(review: AdmissionReview, options: GuardOptions): Promise<AdmissionAnswer | undefined> {
  const { request } = review;
  if (review.kind !== 'AdmissionReview' || typeof request?.uid !== 'string') return undefined;
  const answer = (message?: string): AdmissionAnswer => ({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: String(request.uid),
      allowed: message === undefined,
      ...(message === undefined ? {} : { status: { code: 403, reason: 'Forbidden', message } }),
    },
  });
  const old = request.oldObject;
  if (!old || old.metadata?.labels?.[LABEL_IRREPLACEABLE] !== 'true') return answer();
  if (options.trustedUsers.includes(request.userInfo?.username ?? '')) return answer();
  if (request.operation === 'UPDATE' && request.object && keepsContent(old, request.object)) return answer();
  const owner = old.metadata.ownerReferences?.find((reference) => reference.kind === 'TenantControlPlane');
  const tenant = owner === undefined ? undefined : await options.findTenant(request.namespace ?? '', owner.name);
  const lives = tenant !== undefined && tenant.metadata.uid === owner?.uid && tenant.metadata.deletionTimestamp === undefined;
  if (!lives) return answer();
  const what = request.operation === 'DELETE' ? 'deleted' : 'changed';
  return answer(
    `Secret ${request.name ?? ''} cannot be ${what}: it holds what every node and user of TenantControlPlane ${owner?.name ?? ''} trusts, and nothing could make it again; delete the TenantControlPlane to remove both`,
  );
}

/** Annotations may come and go; the content, the owner and the mark that brings updates to us may not. */
function keepsContent(old: GuardedSecret, next: GuardedSecret): boolean {
  return (
    JSON.stringify(sorted(old.data)) === JSON.stringify(sorted(next.data)) &&
    next.metadata.labels?.[LABEL_IRREPLACEABLE] === 'true' &&
    JSON.stringify(old.metadata.ownerReferences) === JSON.stringify(next.metadata.ownerReferences)
  );
}

const sorted = (data: Readonly<Record<string, string>> | undefined): readonly (readonly [string, string])[] =>
  Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
