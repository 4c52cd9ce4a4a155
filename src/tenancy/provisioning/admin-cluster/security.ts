import type { PodSecurityContext, SecurityContext } from '../../api/core-types.generated.ts';

/** The user `nonroot` of the distroless images that upstream builds on. */
const NON_ROOT = 65532;

/**
 * Default of our containers: fit for namespaces that enforce the Pod Security Standard `restricted`. What the user gives
 * in its place replaces it as a whole, so that nothing of it has to be argued away.
 */
export function defaultSecurityContext(addedCapabilities: readonly string[] = []): SecurityContext {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], ...(addedCapabilities.length > 0 ? { add: addedCapabilities } : {}) },
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: NON_ROOT,
    runAsGroup: NON_ROOT,
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** The group lets containers read the files of their volumes whatever user they run as. The user's fields win one by one. */
export function podSecurityContext(given: PodSecurityContext | undefined): PodSecurityContext {
  return {
    fsGroup: NON_ROOT,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
    ...given,
  };
}
