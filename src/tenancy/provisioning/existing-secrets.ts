import type { KubeObject } from '../../apimachinery/object.ts';
import { ANNOTATION_ROTATE } from './names.ts';
import { ProvisioningError } from './provisioning-error.ts';

/** A Secret of the tenant's namespace as read from the admin cluster; values of `data` are base64. */
export interface LiveSecret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** A Secret of this tenant, decoded. */
export interface ExistingSecret {
  readonly data: Readonly<Record<string, string>>;
  /** The rotate annotation is there and empty. */
  readonly rotationRequested: boolean;
}

export type ExistingSecrets = ReadonlyMap<string, ExistingSecret>;

/**
 * Decodes the Secrets of a tenant by name. Throws ProvisioningError ForeignSecret when one is not owned by the tenant:
 * names can collide (tenant `a` and a tenant or a user's Secret called `a-ca`), and signing with somebody else's key would
 * hand this tenant to them.
 */
export function existingSecrets(tenantUid: string, live: Iterable<LiveSecret>): ExistingSecrets {
  const secrets = new Map<string, ExistingSecret>();
  for (const secret of live) {
    const name = secret.metadata.name ?? '';
    if (!(secret.metadata.ownerReferences ?? []).some((owner) => owner.uid === tenantUid)) {
      throw new ProvisioningError(
        'ForeignSecret',
        `Secret ${name} is in the way: it does not belong to this tenant control plane`,
      );
    }
    secrets.set(name, {
      data: Object.fromEntries(
        Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
      ),
      rotationRequested: secret.metadata.annotations?.[ANNOTATION_ROTATE] === '',
    });
  }
  return secrets;
}
