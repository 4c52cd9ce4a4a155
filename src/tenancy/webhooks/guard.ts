import { isJsonObject } from '../../apimachinery/json.ts';
import type { KubeObject, OwnerReference } from '../../apimachinery/object.ts';
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
  const old = asSecret(request.oldObject);
  if (old?.metadata.labels?.[LABEL_IRREPLACEABLE] !== 'true') return answer();
  if (options.trustedUsers.includes(request.userInfo?.username ?? '')) return answer();
  const next = asSecret(request.object);
  if (request.operation === 'UPDATE' && next !== undefined && keepsContent(old, next)) return answer();
  const owner = ownersOf(old).find(
    ({ apiVersion, kind }) => kind === 'TenantControlPlane' && apiVersion.startsWith('kamaji.io/'),
  );
  const tenant = owner === undefined ? undefined : await options.findTenant(request.namespace ?? '', owner.name);
  const lives =
    tenant !== undefined && tenant.metadata.uid === owner?.uid && tenant.metadata.deletionTimestamp === undefined;
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

/** Anybody can reach the webhook, so nothing about the shape of what comes is certain. */
function asSecret(value: unknown): GuardedSecret | undefined {
  return isJsonObject(value) && isJsonObject(value['metadata']) ? (value as unknown as GuardedSecret) : undefined;
}

function ownersOf(secret: GuardedSecret): readonly OwnerReference[] {
  const references: unknown = secret.metadata.ownerReferences;
  if (!Array.isArray(references)) return [];
  const isText = (value: unknown) => typeof value === 'string';
  return (references as readonly unknown[])
    .filter(isJsonObject)
    .filter(({ apiVersion, kind, name }) =>
      [apiVersion, kind, name].every(isText),
    ) as unknown as readonly OwnerReference[];
}

const sorted = (data: Readonly<Record<string, string>> | undefined): readonly (readonly [string, string])[] =>
  Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
