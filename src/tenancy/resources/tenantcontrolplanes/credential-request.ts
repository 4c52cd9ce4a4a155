import { newInvalid, newServiceUnavailable } from '../../../apimachinery/status.ts';
import { integer, object } from '../../../apimachinery/schema/builders.ts';
import type { ConnectRequest } from '../../../apiserver/registry/definition.ts';
import { GROUP } from '../../api/group.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';

/** What the credential subresources have in common: a bounded lifetime, and a tenant that must be far enough. */

const DEFAULT_SECONDS = 3_600;
const MINIMUM_SECONDS = 600;
const MAXIMUM_SECONDS = 86_400;

/** Body of a POST; everything may be left out. */
export const credentialRequestSchema = object({
  spec: object(
    {
      expirationSeconds: integer({
        description: `Lifetime of the credential in seconds, from ${MINIMUM_SECONDS} to ${MAXIMUM_SECONDS}; ${DEFAULT_SECONDS} when left out.`,
        format: 'int64',
      }),
    },
    { description: 'What is asked for.' },
  ),
});

interface CredentialRequest {
  readonly spec?: { readonly expirationSeconds?: number };
}

/** Lifetime that a request asks for, in milliseconds. @throws StatusError 422 naming spec.expirationSeconds. */
export function requestedLifetimeMs(request: ConnectRequest, kind: string, name: string): number {
  const body: CredentialRequest | undefined = request.body;
  const seconds = body?.spec?.expirationSeconds ?? DEFAULT_SECONDS;
  if (!Number.isSafeInteger(seconds) || seconds < MINIMUM_SECONDS || seconds > MAXIMUM_SECONDS) {
    throw newInvalid({ group: GROUP, kind }, name, [
      {
        type: 'FieldValueInvalid',
        field: 'spec.expirationSeconds',
        message: `Invalid value: ${seconds}: must be between ${MINIMUM_SECONDS} and ${MAXIMUM_SECONDS}`,
      },
    ]);
  }
  return seconds * 1_000;
}

/**
 * `host:port` of the tenant's API. @throws StatusError 503 that says what the tenant is waiting for, while it has none.
 */
export function requireEndpoint(tenant: TenantControlPlane): string {
  const endpoint = tenant.status?.controlPlaneEndpoint;
  if (endpoint === undefined || endpoint === '') throw newNotProvisioned(tenant);
  return endpoint;
}

/** The refusal while a tenant has not come far enough to give out credentials. */
export function newNotProvisioned(tenant: TenantControlPlane): Error {
  const ready = tenant.status?.conditions?.find((condition) => condition.type === 'Ready');
  const why = ready?.message ?? 'it has just been created';
  return newServiceUnavailable(`the control plane of ${tenant.metadata.name} is not provisioned yet: ${why}`, 1);
}
