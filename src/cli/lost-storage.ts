import type { Storage } from '../apiserver/storage/storage.ts';
import type { KubeClient } from '../kubeclient/client.ts';
import { SECRETS } from '../kubeclient/resources.ts';
import { LABEL_IRREPLACEABLE } from '../tenancy/provisioning/names.ts';
import { GROUP } from '../tenancy/api/group.ts';
import { UsageError } from './usage-error.ts';

/**
 * A store without tenants beside an admin cluster full of them is a volume that got lost or a wrong path. Served, it would tell the
 * garbage collector that the owners of all control planes and their keys are gone, and everything would be deleted. While we do not
 * start, our API is unavailable and the collector waits. @throws UsageError saying what to do
 */
export async function refuseLostStorage(storage: Storage, adminClient: KubeClient, signal: AbortSignal): Promise<void> {
  const { items } = await storage.list(`/${GROUP}/tenantcontrolplanes/`, { limit: 1 });
  if (items.length > 0) return;
  const labelSelector = `${LABEL_IRREPLACEABLE}=true`;
  const found = await adminClient.list(SECRETS, '', { labelSelector, metadataOnly: true, signal });
  const [first] = found.items;
  if (first === undefined) return;
  const { namespace = '', name = '' } = first.metadata;
  throw new UsageError(
    `the store holds no TenantControlPlane, but the admin cluster holds keys of tenants (Secret ${namespace}/${name} and ${found.items.length - 1} more). ` +
      'Is this the right volume? Restore a backup with `kamaji restore`, or, if these tenants are to be given up with all they own, start with --accept-empty-storage=true',
  );
}
