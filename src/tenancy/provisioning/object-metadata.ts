import { createHash } from 'node:crypto';
import type { ObjectMeta } from '../../apimachinery/object.ts';
import type { TenantControlPlane } from '../api/tenant-control-plane.ts';
import type { AdditionalMetadata } from '../api/metadata.ts';
import { LABEL_COMPONENT, LABEL_NAME, LABEL_PROJECT, PROJECT } from './names.ts';

/** Labels of everything made for a tenant. */
export function tenantLabels(tenant: TenantControlPlane, component: string): Readonly<Record<string, string>> {
  return { [LABEL_PROJECT]: PROJECT, [LABEL_NAME]: tenant.metadata.name ?? '', [LABEL_COMPONENT]: component };
}

export interface MetadataExtras {
  /** What the user wants on the object; our own labels and annotations win. */
  readonly additional?: AdditionalMetadata | undefined;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Metadata of an object in the tenant's namespace. The owner reference is the apply engine's to add. */
export function tenantMetadata(
  tenant: TenantControlPlane,
  name: string,
  component: string,
  extras: MetadataExtras = {},
): ObjectMeta {
  const annotations = { ...extras.additional?.annotations, ...extras.annotations };
  return {
    name,
    namespace: tenant.metadata.namespace ?? '',
    labels: { ...extras.additional?.labels, ...extras.labels, ...tenantLabels(tenant, component) },
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
}

/** SHA-256 (hex) of the content of a Secret or ConfigMap; the order of the keys does not matter. */
export function contentChecksum(data: Readonly<Record<string, string>>): string {
  const sorted = Object.keys(data)
    .sort()
    .map((key) => [key, data[key]]);
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
