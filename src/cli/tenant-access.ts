import type { Clock } from '../base/clock.ts';
import type { KubeClient } from '../kubeclient/client.ts';
import { createTenantClient } from '../kubeclient/rest-client.ts';
import { createTenantAccess, type TenantAccess } from '../tenancy/provisioning/tenant-access.ts';

/** Access to tenants over the network that this process is in. */
export function createAccess(adminClient: KubeClient, clock: Clock, version: string): TenantAccess {
  return createTenantAccess({
    adminClient,
    clock,
    createClient: ({ server, serverName, caCertificate, client }) =>
      createTenantClient(
        { server, serverName, ca: caCertificate, certificate: client.certificate, key: client.key },
        { userAgent: `kamaji/${version}`, clock },
      ),
  });
}
