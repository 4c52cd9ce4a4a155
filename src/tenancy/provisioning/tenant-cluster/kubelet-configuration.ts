import { isJsonObject } from '../../../apimachinery/json.ts';
import { applyJsonPatch, PatchFailedError } from '../../../apimachinery/json-patch.ts';
import type { Json, JsonObject } from '../../../apimachinery/object.ts';
import type { KubernetesSettings } from '../../api/kubernetes.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { ProvisioningError } from '../provisioning-error.ts';

const API_VERSION = 'kubelet.config.k8s.io/v1beta1';
const KIND = 'KubeletConfiguration';

/**
 * The kubelet's own defaults (pkg/kubelet/apis/config/v1beta1/defaults.go), written out so that a patch finds something to
 * replace. Left out is what the node knows better or what depends on the kubelet's version: nodes may be three minors
 * older than the control plane, and a kubelet refuses a value whose feature gate it has off. Those are cgroupDriver,
 * containerRuntimeEndpoint, crashLoopBackOff.maxContainerRestartPeriod, failCgroupV1,
 * imagePullCredentialsVerificationPolicy, memoryReservationPolicy, mergeDefaultEvictionSettings and resolvConf.
 */
const DEFAULTS: JsonObject = {
  address: '0.0.0.0',
  cgroupsPerQOS: true,
  configMapAndSecretChangeDetectionStrategy: 'Watch',
  containerLogMaxFiles: 5,
  containerLogMaxSize: '10Mi',
  containerLogMaxWorkers: 1,
  containerLogMonitorInterval: '10s',
  contentType: 'application/vnd.kubernetes.protobuf',
  cpuCFSQuota: true,
  cpuCFSQuotaPeriod: '100ms',
  cpuManagerPolicy: 'none',
  cpuManagerReconcilePeriod: '10s',
  crashLoopBackOff: {},
  enableControllerAttachDetach: true,
  enableDebugFlagsHandler: true,
  enableDebuggingHandlers: true,
  enableProfilingHandler: true,
  enableServer: true,
  enableSystemLogHandler: true,
  enforceNodeAllocatable: ['pods'],
  eventBurst: 100,
  eventRecordQPS: 50,
  evictionPressureTransitionPeriod: '5m0s',
  failSwapOn: true,
  fileCheckFrequency: '20s',
  hairpinMode: 'promiscuous-bridge',
  httpCheckFrequency: '20s',
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  imageMaximumGCAge: '0s',
  imageMinimumGCAge: '2m0s',
  iptablesDropBit: 15,
  iptablesMasqueradeBit: 14,
  kubeAPIBurst: 100,
  kubeAPIQPS: 50,
  localStorageCapacityIsolation: true,
  logging: { flushFrequency: '5s', format: 'text', verbosity: 0 },
  makeIPTablesUtilChains: true,
  maxOpenFiles: 1_000_000,
  maxPods: 110,
  memoryManagerPolicy: 'None',
  memorySwap: {},
  memoryThrottlingFactor: 0.9,
  nodeLeaseDurationSeconds: 40,
  nodeStatusMaxImages: 50,
  nodeStatusReportFrequency: '5m0s',
  nodeStatusUpdateFrequency: '10s',
  oomScoreAdj: -999,
  podLogsDir: '/var/log/pods',
  podPidsLimit: -1,
  port: 10250,
  registerNode: true,
  registryBurst: 10,
  registryPullQPS: 5,
  runtimeRequestTimeout: '2m0s',
  seccompDefault: false,
  serializeImagePulls: true,
  shutdownGracePeriod: '0s',
  shutdownGracePeriodCriticalPods: '0s',
  streamingConnectionIdleTimeout: '4h0m0s',
  syncFrequency: '1m0s',
  topologyManagerPolicy: 'none',
  topologyManagerScope: 'container',
  volumePluginDir: '/usr/libexec/kubernetes/kubelet-plugins/volume/exec/',
  volumeStatsAggPeriod: '1m0s',
};

/**
 * What joining nodes download: defaults, then what kubeadm sets (cmd/kubeadm/app/componentconfigs/kubelet.go, Default), then
 * the tenant's patches. Throws ProvisioningError KubeletPatchFailed, whose message names the patch.
 */
export function kubeletConfiguration(tenant: TenantControlPlane): JsonObject {
  const { networkProfile, kubernetes } = tenant.spec;
  const { cgroupfs, configurationJSONPatches: patches = [] } = kubernetes.kubelet;
  const base: JsonObject = {
    ...DEFAULTS,
    apiVersion: API_VERSION,
    kind: KIND,
    authentication: {
      anonymous: { enabled: false },
      webhook: { cacheTTL: '2m0s', enabled: true },
      x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' },
    },
    authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '5m0s', cacheUnauthorizedTTL: '30s' } },
    clusterDNS: networkProfile.dnsServiceIPs,
    clusterDomain: networkProfile.clusterDomain,
    healthzBindAddress: '127.0.0.1',
    healthzPort: 10248,
    rotateCertificates: true,
    staticPodPath: '/etc/kubernetes/manifests',
    ...(cgroupfs !== undefined && { cgroupDriver: cgroupfs }),
  };
  return patches.reduce<JsonObject>(applyPatch, base);
}

type KubeletPatch = NonNullable<KubernetesSettings['kubelet']['configurationJSONPatches']>[number];

function applyPatch(document: JsonObject, patch: KubeletPatch, index: number): JsonObject {
  const refuse = (why: string): ProvisioningError =>
    new ProvisioningError(
      'KubeletPatchFailed',
      `spec.kubernetes.kubelet.configurationJSONPatches[${index}]: ${patch.op} ${JSON.stringify(patch.path)} failed: ${why}`,
    );
  let result: Json;
  try {
    result = applyJsonPatch(document, [patch]);
  } catch (error) {
    if (error instanceof PatchFailedError) throw refuse(error.message);
    throw error;
  }
  if (!isJsonObject(result) || result['apiVersion'] !== API_VERSION || result['kind'] !== KIND) {
    throw refuse(`the result is no ${KIND} of ${API_VERSION} any more`);
  }
  return result;
}
