import type { KubeObject } from '../../apimachinery/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { KubeClient } from '../../kubeclient/client.ts';
import { createInformer, type Informer } from '../../kubeclient/informer.ts';
import { CONFIG_MAPS, DEPLOYMENTS, SECRETS, SERVICES } from '../../kubeclient/resources.ts';
import { byOwnerUid } from '../../kubeclient/store.ts';
import { LABEL_PROJECT, PROJECT } from '../provisioning/names.ts';

const OWNER_INDEX = 'owner';

/** What we made in the admin cluster, as the watch last told it; nobody else's objects are read. */
export interface AdminCaches {
  readonly secrets: Informer<KubeObject & { readonly data?: Readonly<Record<string, string>> }>;
  readonly services: Informer;
  readonly configMaps: Informer;
  readonly deployments: Informer;
  readonly all: readonly Informer[];
  ownedBy(uid: string): readonly { readonly cache: Informer; readonly object: KubeObject }[];
  /** Calls back with `namespace/name` of the tenant whose object was added, changed or deleted. */
  onChange(listener: (tenantKey: string) => void): void;
  run(signal: AbortSignal): Promise<void>;
}

export function createAdminCaches(adminClient: KubeClient, clock: Clock, log: Logger): AdminCaches {
  const options = {
    client: adminClient,
    labelSelector: `${LABEL_PROJECT}=${PROJECT}`,
    indexes: { [OWNER_INDEX]: byOwnerUid },
    clock,
    log,
  };
  const secrets = createInformer({ ...options, resource: SECRETS });
  const services = createInformer({ ...options, resource: SERVICES });
  const configMaps = createInformer({ ...options, resource: CONFIG_MAPS });
  const deployments = createInformer({ ...options, resource: DEPLOYMENTS });
  // Deployments first: what mounts goes before what is mounted.
  const all = [deployments, services, configMaps, secrets] as unknown as readonly Informer[];
  return {
    secrets,
    services,
    configMaps,
    deployments,
    all,
    ownedBy: (uid) => all.flatMap((cache) => cache.byIndex(OWNER_INDEX, uid).map((object) => ({ cache, object }))),
    onChange(listener) {
      const tell = (object: KubeObject): void => {
        const owner = object.metadata.ownerReferences?.find((reference) => reference.kind === 'TenantControlPlane');
        if (owner !== undefined) listener(`${object.metadata.namespace ?? ''}/${owner.name}`);
      };
      for (const cache of all) cache.onChange({ add: tell, update: (_old, object) => tell(object), delete: tell });
    },
    async run(signal) {
      await Promise.all(all.map((cache) => cache.run(signal)));
    },
  };
}
