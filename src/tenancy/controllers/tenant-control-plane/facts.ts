import type { KubeObject } from '../../../apimachinery/object.ts';
import type { DeploymentStatus } from '../../api/core-types.generated.ts';
import type { TenantEndpoint, TenantStorage } from '../../provisioning/tenant-input.ts';

/**
 * What one pass of the reconciliation found out. The status is computed from this and the old status alone, so that every
 * sentence a user reads can be tested without a cluster.
 */
export interface TenantFacts {
  /** Of the spec that the pass acted on; the stored object may be newer by the time the status is written. */
  readonly generation: number;
  /** The step that holds everything up; undefined when all of them went through. */
  readonly blocked: Blocked | undefined;
  readonly storage: TenantStorage | undefined;
  readonly endpoint: TenantEndpoint | undefined;
  /** Secrets and ConfigMaps that should exist, with their checksum annotations. */
  readonly desired: readonly KubeObject[];
  readonly deployment: LiveDeployment | undefined;
  /** What keeps a pod of the Deployment from running, as far as somebody has looked. */
  readonly podTrouble: PodTrouble | undefined;
  readonly service: LiveService | undefined;
  readonly tenantCluster: TenantClusterReport | undefined;
}

export type ConditionStep =
  'DataStoreReady' | 'Exposed' | 'CertificatesReady' | 'ControlPlaneAvailable' | 'TenantConfigured';

export interface Blocked {
  readonly step: ConditionStep;
  /** CamelCase, for programs. */
  readonly reason: string;
  /** A sentence that names what is missing. */
  readonly message: string;
}

/** Reason and message for a condition. */
export interface PodTrouble {
  readonly reason: string;
  readonly message: string;
}

export interface LiveDeployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] };
    };
  };
  readonly status?: DeploymentStatus;
}

export interface LiveService extends KubeObject {
  readonly spec: { readonly type?: string; readonly clusterIP?: string };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}

/** What the tenant-cluster controller last saw inside the tenant. */
export interface TenantClusterReport {
  readonly configured: boolean;
  readonly reason: string;
  readonly message: string;
  /** Generation of the TenantControlPlane whose objects are in place. */
  readonly generation: number;
  /** Changes with the content that is in place. */
  readonly checksum: string;
}
