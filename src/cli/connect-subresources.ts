import type { ConnectSubresource } from '../apiserver/registry/definition.ts';
import { newServiceUnavailable } from '../apimachinery/status.ts';
import type { Clock } from '../base/clock.ts';
import { ApiError, ConnectionError } from '../kubeclient/api-error.ts';
import type { KubeObject } from '../apimachinery/object.ts';
import { SECRETS } from '../kubeclient/resources.ts';
import type { TenantControlPlane } from '../tenancy/api/tenant-control-plane.ts';
import { bootstrapTokenSecret } from '../tenancy/provisioning/bootstrap-token-secret.ts';
import type { TenantAccess } from '../tenancy/provisioning/tenant-access.ts';
import { newNotProvisioned } from '../tenancy/resources/tenantcontrolplanes/credential-request.ts';
import { createJoinTokenSubresource } from '../tenancy/resources/tenantcontrolplanes/join-token.ts';
import { createKubeconfigSubresource } from '../tenancy/resources/tenantcontrolplanes/kubeconfig.ts';

/** The credential subresources, joined with the way into tenants. */
export function createConnectSubresources(
  access: TenantAccess,
  clock: Clock,
): readonly ConnectSubresource<TenantControlPlane>[] {
  const readAuthority = async (tenant: TenantControlPlane, signal: AbortSignal) => {
    const authority = await access.readAuthority(tenant, signal);
    if (authority === undefined) throw newNotProvisioned(tenant);
    return authority;
  };
  return [
    createKubeconfigSubresource({ readAuthority, clock }),
    createJoinTokenSubresource({
      readAuthority,
      clock,
      async storeToken(tenant, token, expiresAt, signal) {
        const client = await access.clientFor(tenant, signal);
        if (client === undefined) throw newNotProvisioned(tenant);
        const secret: KubeObject = bootstrapTokenSecret(token, expiresAt);
        try {
          await client.create(SECRETS, secret, { signal, timeoutMs: 10_000 });
        } catch (error) {
          if (!(error instanceof ConnectionError || error instanceof ApiError)) throw error;
          throw newServiceUnavailable(
            `the API of ${tenant.metadata.name ?? ''} does not take a token now: ${error.message}`,
            1,
          );
        }
      },
    }),
  ];
}
