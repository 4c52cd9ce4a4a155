/** What a tenant may say about the image of an add-on, each for itself. */
export interface ImageOverride {
  readonly imageRepository?: string;
  readonly imageTag?: string;
}

const REGISTRY = 'registry.k8s.io';

export interface DefaultImage {
  readonly name: string;
  /** The folder that has the image in registry.k8s.io; mirrors have it at their top. */
  readonly folder?: string;
  readonly tag: string;
}

/** `<repository>/<name>:<tag>`, as kubeadm puts images together (cmd/kubeadm/app/images, GetGenericImage and GetDNSImage). */
export function imageName(override: ImageOverride | undefined, fallback: DefaultImage): string {
  const repository = (override?.imageRepository || REGISTRY).replace(/\/+$/, '');
  const folder = repository === REGISTRY && fallback.folder !== undefined ? `/${fallback.folder}` : '';
  return `${repository}${folder}/${fallback.name}:${override?.imageTag || fallback.tag}`;
}
