import type { Condition } from '../../../apimachinery/object.ts';
import type { SecretStatus, TenantControlPlaneStatus, TenantPhase } from '../../api/tenant-control-plane-status.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { ANNOTATION_CHECKSUM, LABEL_NAME, tenantObjectNames } from '../../provisioning/names.ts';
import { konnectivityEnabled } from '../../provisioning/addons/enabled.ts';
import type { ConditionStep, LiveDeployment, TenantFacts } from './facts.ts';

/** The steps in the order in which a tenant comes to life; Ready names the first that is not done. */
const STEPS: readonly ConditionStep[] = [
  'DataStoreReady',
  'Exposed',
  'CertificatesReady',
  'ControlPlaneAvailable',
  'TenantConfigured',
];

const DONE: Readonly<Record<ConditionStep, { readonly reason: string; readonly message: string }>> = {
  DataStoreReady: { reason: 'TenantSetUp', message: "the tenant's user, role and key range are in place" },
  Exposed: { reason: 'AddressKnown', message: 'the Service has an address' },
  CertificatesReady: { reason: 'CertificatesValid', message: 'all certificates and kubeconfigs are valid' },
  ControlPlaneAvailable: { reason: 'DeploymentAvailable', message: 'the control plane answers' },
  TenantConfigured: { reason: 'ObjectsInPlace', message: 'what nodes and users need is in the tenant' },
};

/** The next status of a tenant: a function of the facts of one pass and of the old status. `now` is RFC 3339. */
export function computeStatus(tenant: TenantControlPlane, facts: TenantFacts, now: string): TenantControlPlaneStatus {
  const old = tenant.status;
  const names = tenantObjectNames(tenant.metadata.name ?? '');
  const namespace = tenant.metadata.namespace ?? '';
  const conditions = computeConditions(tenant, facts, now);
  const checksums = new Map(
    facts.desired.map((object) => [
      `${object.kind}/${object.metadata.name ?? ''}`,
      object.metadata.annotations?.[ANNOTATION_CHECKSUM],
    ]),
  );
  /** Keeps what is known when this pass did not come as far as this Secret. */
  const secret = (name: string, before: SecretStatus | undefined): SecretStatus | undefined => {
    const checksum = checksums.get(`Secret/${name}`);
    if (checksum === undefined) return before;
    return { secretName: name, checksum, lastUpdate: before?.checksum === checksum ? (before.lastUpdate ?? now) : now };
  };
  const { storage, endpoint, deployment, service } = facts;
  const address = endpoint === undefined ? old?.controlPlaneEndpoint : hostPort(endpoint.host, endpoint.port);
  const kubeadmChecksum = checksums.get(`ConfigMap/${names.kubeadmConfig}`);
  const storageChecksum = checksums.get(`Secret/${names.dataStoreConfig}`) ?? old?.storage?.setup?.checksum;

  return compact({
    observedGeneration: isInPlace(tenant, facts) ? facts.generation : old?.observedGeneration,
    conditions,
    controlPlaneEndpoint: address,
    storage:
      storage === undefined
        ? old?.storage
        : compact({
            driver: storage.driver,
            dataStoreName: storage.dataStoreName,
            config:
              storageChecksum === undefined
                ? undefined
                : { secretName: names.dataStoreConfig, checksum: storageChecksum },
            setup: compact({
              schema: storage.schema,
              user: storage.username,
              checksum: storageChecksum,
              lastUpdate:
                old?.storage?.setup?.checksum === storageChecksum ? (old?.storage?.setup?.lastUpdate ?? now) : now,
            }),
            certificate: secret(names.dataStoreCertificate, old?.storage?.certificate),
          }),
    certificates: compact({
      ca: secret(names.ca, old?.certificates?.ca),
      frontProxyCA: secret(names.frontProxyCa, old?.certificates?.frontProxyCA),
      sa: secret(names.serviceAccountKeys, old?.certificates?.sa),
      apiServer: secret(names.apiServer, old?.certificates?.apiServer),
      apiServerKubeletClient: secret(names.apiServerKubeletClient, old?.certificates?.apiServerKubeletClient),
      frontProxyClient: secret(names.frontProxyClient, old?.certificates?.frontProxyClient),
    }),
    kubeconfig: compact({
      admin: secret(names.adminKubeconfig, old?.kubeconfig?.admin),
      controllerManager: secret(names.controllerManagerKubeconfig, old?.kubeconfig?.controllerManager),
      scheduler: secret(names.schedulerKubeconfig, old?.kubeconfig?.scheduler),
    }),
    kubeadmconfig:
      kubeadmChecksum === undefined
        ? old?.kubeadmconfig
        : {
            configmapName: names.kubeadmConfig,
            checksum: kubeadmChecksum,
            lastUpdate: old?.kubeadmconfig?.checksum === kubeadmChecksum ? (old.kubeadmconfig.lastUpdate ?? now) : now,
          },
    kubeadmPhase: bootstrapPhase(facts, old, now),
    kubernetesResources: compact({
      version: {
        status: phaseOf(tenant, facts, conditions),
        ...(installedVersion(tenant, facts) === undefined
          ? {}
          : { version: installedVersion(tenant, facts) as string }),
      },
      deployment:
        deployment === undefined
          ? old?.kubernetesResources?.deployment
          : {
              ...deployment.status,
              name: names.deployment,
              namespace,
              selector: `${LABEL_NAME}=${tenant.metadata.name ?? ''}`,
            },
      service:
        service === undefined
          ? old?.kubernetesResources?.service
          : {
              name: names.service,
              namespace,
              port: tenant.spec.networkProfile.port,
              loadBalancer: {
                ingress:
                  service.status?.loadBalancer?.ingress?.map(({ ip, hostname }) => compact({ ip, hostname })) ?? [],
              },
            },
    }),
    addons: addonStatus(tenant, facts, now, secret),
  });
}

function computeConditions(tenant: TenantControlPlane, facts: TenantFacts, now: string): readonly Condition[] {
  const { generation } = facts;
  const old = new Map((tenant.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  const judged = STEPS.map((step): Condition => judge(step, tenant, facts, old));
  const missing = judged.find((condition) => condition.status !== 'True');
  const ready: Condition =
    missing === undefined
      ? { type: 'Ready', status: 'True', reason: 'Ready', message: 'the control plane is ready' }
      : { type: 'Ready', status: 'False', reason: missing.reason, message: missing.message };
  return [ready, ...judged].map((condition) => {
    const before = old.get(condition.type);
    const since = before?.status === condition.status ? (before.lastTransitionTime ?? now) : now;
    return { ...condition, lastTransitionTime: since, observedGeneration: generation };
  });
}

function judge(
  step: ConditionStep,
  tenant: TenantControlPlane,
  facts: TenantFacts,
  old: ReadonlyMap<string, Condition>,
): Condition {
  const { blocked } = facts;
  if (blocked?.step === step) return { type: step, status: 'False', reason: blocked.reason, message: blocked.message };
  if (step === 'ControlPlaneAvailable') {
    const verdict = judgeDeployment(tenant, facts);
    if (verdict !== undefined) return { type: step, status: 'False', ...verdict };
    return { type: step, status: 'True', ...DONE[step] };
  }
  if (step === 'TenantConfigured') {
    const report = facts.tenantCluster;
    const before = old.get(step);
    // After a restart nobody has looked into the tenant yet; what was true is still the best that we know.
    if (report === undefined && before !== undefined) return before;
    if (report === undefined)
      return { type: step, status: 'False', reason: 'Waiting', message: 'the control plane does not answer yet' };
    if (!report.configured) return { type: step, status: 'False', reason: report.reason, message: report.message };
    return { type: step, status: 'True', ...DONE[step] };
  }
  // A step behind the one that is blocked was not looked at in this pass.
  if (blocked !== undefined && STEPS.indexOf(blocked.step) < STEPS.indexOf(step)) {
    return old.get(step) ?? { type: step, status: 'Unknown', reason: 'Waiting', message: `waits for ${blocked.step}` };
  }
  return { type: step, status: 'True', ...DONE[step] };
}

/** Why the Deployment does not serve; undefined when it does. */
function judgeDeployment(
  tenant: TenantControlPlane,
  { deployment, podTrouble }: Pick<TenantFacts, 'deployment' | 'podTrouble'>,
): { readonly reason: string; readonly message: string } | undefined {
  if (tenant.spec.controlPlane.deployment.replicas === 0) {
    return { reason: 'Sleeping', message: 'replicas is 0, so the control plane does not run' };
  }
  if (deployment === undefined) return { reason: 'Provisioning', message: 'the Deployment does not exist yet' };
  const wanted = deployment.spec.replicas ?? 1;
  const available = deployment.status?.availableReplicas ?? 0;
  if (available > 0) return undefined;
  if (podTrouble !== undefined) return podTrouble;
  const failure = deployment.status?.conditions?.find(
    (condition) =>
      (condition.type === 'ReplicaFailure' && condition.status === 'True') ||
      (condition.type === 'Progressing' && condition.status === 'False'),
  );
  if (failure !== undefined) {
    return {
      reason: failure.reason || 'DeploymentFailed',
      message: `the Deployment ${deployment.metadata.name ?? ''} makes no progress: ${failure.message ?? ''}`,
    };
  }
  return { reason: 'Starting', message: `the control plane is starting: 0 of ${wanted} pods are available` };
}

/**
 * Whether everything that the generation of this pass asks for is there, in the pods and in the tenant's cluster: before that, GitOps
 * tools that compare observedGeneration must go on waiting though the pods of the last generation still serve.
 */
function isInPlace(tenant: TenantControlPlane, facts: TenantFacts): boolean {
  if (facts.blocked !== undefined || !rolloutComplete(facts.deployment)) return false;
  if (tenant.spec.controlPlane.deployment.replicas === 0) return true;
  const report = facts.tenantCluster;
  return report?.configured === true && report.generation >= facts.generation;
}

/** True when every pod runs what the Deployment now says. */
export function rolloutComplete(deployment: LiveDeployment | undefined): boolean {
  if (deployment === undefined) return false;
  const wanted = deployment.spec.replicas ?? 1;
  const status = deployment.status;
  return (
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0) &&
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted
  );
}

function runsVersion(deployment: LiveDeployment | undefined, version: string): boolean {
  const image = deployment?.spec.template.spec.containers.find(
    (container) => container.name === 'kube-apiserver',
  )?.image;
  const tag = `:v${version.replace(/^v/, '')}`;
  const at = image?.lastIndexOf(tag) ?? -1;
  // A suffix or digest may follow; another digit makes it another version.
  return image !== undefined && at !== -1 && !/^\d/.test(image.slice(at + tag.length));
}

/** The version that all pods run; the old one while a rollout is under way. */
function installedVersion(tenant: TenantControlPlane, facts: TenantFacts): string | undefined {
  const before = tenant.status?.kubernetesResources?.version?.version;
  const { version } = tenant.spec.kubernetes;
  const settled = (facts.deployment?.spec.replicas ?? 0) > 0 && rolloutComplete(facts.deployment);
  return settled && runsVersion(facts.deployment, version) ? version : before;
}

function phaseOf(tenant: TenantControlPlane, facts: TenantFacts, conditions: readonly Condition[]): TenantPhase {
  if (tenant.spec.controlPlane.deployment.replicas === 0) return 'Sleeping';
  const isTrue = (type: string): boolean => conditions.some((c) => c.type === type && c.status === 'True');
  const installed = installedVersion(tenant, facts);
  if (installed === undefined) return 'Provisioning';
  if (!isTrue('ControlPlaneAvailable')) return 'NotReady';
  if (installed !== tenant.spec.kubernetes.version) return 'Upgrading';
  return isTrue('Ready') ? 'Ready' : 'NotReady';
}

function bootstrapPhase(
  facts: TenantFacts,
  old: TenantControlPlaneStatus | undefined,
  now: string,
): TenantControlPlaneStatus['kubeadmPhase'] {
  const report = facts.tenantCluster;
  const before = old?.kubeadmPhase?.bootstrapToken;
  if (report === undefined || !report.configured) return old?.kubeadmPhase;
  return {
    bootstrapToken: {
      checksum: report.checksum,
      lastUpdate: before?.checksum === report.checksum ? (before.lastUpdate ?? now) : now,
    },
  };
}

function addonStatus(
  tenant: TenantControlPlane,
  facts: TenantFacts,
  now: string,
  secret: (name: string, before: SecretStatus | undefined) => SecretStatus | undefined,
): TenantControlPlaneStatus['addons'] {
  const old = tenant.status?.addons;
  if (facts.tenantCluster?.configured !== true) return old;
  const { coreDNS, kubeProxy, konnectivity } = tenant.spec.addons;
  const names = tenantObjectNames(tenant.metadata.name ?? '');
  const flag = (enabled: boolean, before: { enabled: boolean; lastUpdate?: string } | undefined) => ({
    enabled,
    lastUpdate: before?.enabled === enabled ? (before.lastUpdate ?? now) : now,
  });
  const tunnel = konnectivityEnabled(tenant);
  return compact({
    coreDNS: flag(coreDNS !== undefined && coreDNS.enabled, old?.coreDNS),
    kubeProxy: flag(kubeProxy !== undefined && kubeProxy.enabled, old?.kubeProxy),
    konnectivity: tunnel
      ? compact({
          enabled: true,
          configMap: { name: names.konnectivityEgress },
          certificate: secret(names.konnectivityCertificate, old?.konnectivity?.certificate),
          kubeconfig: secret(names.konnectivityKubeconfig, old?.konnectivity?.kubeconfig),
          sa: { name: 'konnectivity-agent', namespace: 'kube-system' },
          clusterrolebinding: { name: 'system:konnectivity-server' },
          agent: { name: 'konnectivity-agent', namespace: 'kube-system', mode: konnectivity.agent.mode },
          service: {
            name: names.service,
            namespace: tenant.metadata.namespace ?? '',
            port: konnectivity.server.port,
          },
        })
      : { enabled: false },
  });
}

/** `host:port` as clients write it, an IPv6 address in brackets. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

type Compact<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out the properties that are undefined. */
function compact<T extends object>(value: T): Compact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Compact<T>;
}
