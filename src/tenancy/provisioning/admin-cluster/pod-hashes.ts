import { createHash } from 'node:crypto';
import type { KubeObject } from '../../../apimachinery/object.ts';
import {
  ANNOTATION_CHECKSUM,
  ANNOTATION_PREFIX_STORAGE_HASH,
  LABEL_PREFIX_COMPONENT_HASH,
  tenantObjectNames,
} from '../names.ts';
import type { TenantInput } from '../tenant-input.ts';
import { konnectivityEgressComponent } from './config-maps.ts';
import {
  certificateSecretsComponent,
  dataStoreSecretsComponent,
  konnectivitySecretsComponent,
  kubeconfigSecretsComponent,
  rootSecretsComponent,
} from './secrets.ts';

export interface PodHashes {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Labels and annotations of the pods that change with what the pods read at their start, so that they are replaced. */
export function podHashes(input: TenantInput): PodHashes {
  const names = tenantObjectNames(input.tenant.metadata.name ?? '');
  const sources = [
    rootSecretsComponent,
    certificateSecretsComponent,
    kubeconfigSecretsComponent,
    dataStoreSecretsComponent,
    konnectivitySecretsComponent,
    konnectivityEgressComponent,
  ];
  const checksums = new Map(
    sources.flatMap((source) => source.desired(input)).map((object) => [object.metadata.name, checksumOf(object)]),
  );
  const labels: Record<string, string> = {};
  for (const [label, name] of [
    ['api-server-certificate', names.apiServer],
    ['api-server-kubelet-client-certificate', names.apiServerKubeletClient],
    ['ca', names.ca],
    ['controller-manager-kubeconfig', names.controllerManagerKubeconfig],
    ['front-proxy-ca-certificate', names.frontProxyCa],
    ['front-proxy-client-certificate', names.frontProxyClient],
    ['konnectivity-egress', names.konnectivityEgress],
    ['konnectivity-kubeconfig', names.konnectivityKubeconfig],
    ['scheduler-kubeconfig', names.schedulerKubeconfig],
    ['service-account', names.serviceAccountKeys],
  ] as const) {
    const checksum = checksums.get(name);
    // A label holds 63 characters, one fewer than SHA-256 in hex.
    if (checksum !== undefined) labels[`${LABEL_PREFIX_COMPONENT_HASH}${label}`] = checksum.slice(0, 32);
  }
  return {
    labels: { ...labels, [`${LABEL_PREFIX_COMPONENT_HASH}datastore`]: labelValue(input.storage.dataStoreName) },
    annotations: {
      [`${ANNOTATION_PREFIX_STORAGE_HASH}certificate`]: checksums.get(names.dataStoreCertificate) ?? '',
      [`${ANNOTATION_PREFIX_STORAGE_HASH}config`]: checksums.get(names.dataStoreConfig) ?? '',
    },
  };
}

function checksumOf(object: KubeObject): string | undefined {
  return object.metadata.annotations?.[ANNOTATION_CHECKSUM];
}

/** A name as it is where it fits into a label; a longer one is cut and told from its like by a hash. */
function labelValue(name: string): string {
  if (name.length <= 63) return name;
  return `${name.slice(0, 46)}-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}
