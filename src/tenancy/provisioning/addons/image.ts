/** What a tenant may say about the image of an add-on, each for itself. */
export interface ImageOverride {
  readonly imageRepository?: string;
  readonly imageTag?: string;
}

export interface DefaultImage {
  /** Registry and path without the name. */
  readonly repository: string;
  readonly name: string;
  readonly tag: string;
}

/** `<repository>/<name>:<tag>`, as kubeadm puts images together (cmd/kubeadm/app/images, GetGenericImage). */
export function imageName(override: ImageOverride | undefined, fallback: DefaultImage): string {
  const repository = (override?.imageRepository || fallback.repository).replace(/\/+$/, '');
  return `${repository}/${fallback.name}:${override?.imageTag || fallback.tag}`;
}
