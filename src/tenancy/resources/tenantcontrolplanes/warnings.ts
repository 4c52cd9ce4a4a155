import { formatNetwork, ipFromText, networkFromText } from '../../api/ip-network.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';

/** Flags whose value we set, so that a user's own is dropped or loses. */
const MANAGED_FLAGS = {
  apiServer: [
    'advertise-address',
    'client-ca-file',
    'egress-selector-config-file',
    'enable-admission-plugins',
    'etcd-cafile',
    'etcd-certfile',
    'etcd-compaction-interval',
    'etcd-keyfile',
    'etcd-prefix',
    'etcd-servers',
    'etcd-servers-overrides',
    'kubelet-client-certificate',
    'kubelet-client-key',
    'kubelet-preferred-address-types',
    'proxy-client-cert-file',
    'proxy-client-key-file',
    'requestheader-allowed-names',
    'requestheader-client-ca-file',
    'secure-port',
    'service-account-key-file',
    'service-account-signing-key-file',
    'service-cluster-ip-range',
    'tls-cert-file',
    'tls-private-key-file',
  ],
  scheduler: [
    'authentication-kubeconfig',
    'authorization-kubeconfig',
    'bind-address',
    'client-ca-file',
    'kubeconfig',
    'leader-elect',
    'requestheader-client-ca-file',
  ],
} as const;

/** kube-controller-manager takes the user's value; of these we know that it breaks the tenant or its credentials. */
const RISKY_CONTROLLER_FLAGS = [
  'cluster-cidr',
  'cluster-signing-cert-file',
  'cluster-signing-key-file',
  'kubeconfig',
  'root-ca-file',
  'service-account-private-key-file',
  'service-cluster-ip-range',
] as const;

/** Hints about what is accepted but probably not meant. */
export function tenantWarnings(tenant: TenantControlPlane): readonly string[] {
  const { networkProfile, kubernetes, controlPlane } = tenant.spec;
  const extraArgs = controlPlane.deployment.extraArgs ?? {};
  const deployment = 'spec.controlPlane.deployment.extraArgs';
  return [
    ...flagWarnings(
      extraArgs.apiServer,
      MANAGED_FLAGS.apiServer,
      `${deployment}.apiServer`,
      'is set by Kamaji and will be ignored',
    ),
    ...flagWarnings(
      extraArgs.scheduler,
      MANAGED_FLAGS.scheduler,
      `${deployment}.scheduler`,
      'is set by Kamaji and will be ignored',
    ),
    ...flagWarnings(
      extraArgs.controllerManager,
      RISKY_CONTROLLER_FLAGS,
      `${deployment}.controllerManager`,
      "replaces Kamaji's own value, which the tenant needs",
    ),
    ...ignoredSingle(networkProfile.serviceCidr, networkProfile.serviceCidrs, 'serviceCidr'),
    ...ignoredSingle(networkProfile.podCidr, networkProfile.podCidrs, 'podCidr'),
    ...[...networkProfile.serviceCidrs, ...networkProfile.podCidrs].flatMap(hostBitsWarning),
    ...(kubernetes.kubelet.cgroupfs === undefined
      ? []
      : ['spec.kubernetes.kubelet.cgroupfs is deprecated: use configurationJSONPatches on /cgroupDriver']),
    ...kubernetes.admissionControllers
      .filter((plugin) => plugin === 'AlwaysAdmit' || plugin === 'AlwaysDeny')
      .map((plugin) => `spec.kubernetes.admissionControllers: ${plugin} is deprecated and has no real meaning`),
    ...notActedOn(tenant).map((field) => `${field} is stored, but this version does not act on it yet`),
  ];
}

/** Fields of the API that nothing behind it does anything with: whoever sets one must not believe that it works. */
function notActedOn(tenant: TenantControlPlane): readonly string[] {
  const { writePermissions = {}, dataStoreOverrides = [], controlPlane } = tenant.spec;
  const limits = (['blockCreation', 'blockUpdate', 'blockDeletion'] as const).filter(
    (limit) => writePermissions[limit],
  );
  return [
    ...limits.map((limit) => `spec.writePermissions.${limit}`),
    ...(dataStoreOverrides.length > 0 ? ['spec.dataStoreOverrides'] : []),
    ...(controlPlane.ingress === undefined ? [] : ['spec.controlPlane.ingress']),
    ...(controlPlane.gateway === undefined ? [] : ['spec.controlPlane.gateway']),
  ];
}

function flagWarnings(
  args: readonly string[] | undefined,
  flags: readonly string[],
  path: string,
  why: string,
): readonly string[] {
  return (args ?? []).flatMap((arg, index) => {
    const flag = /^--([^=]+)/.exec(arg)?.[1]?.replaceAll('_', '-') ?? '';
    return flags.includes(flag) ? [`${path}[${index}]: --${flag} ${why}`] : [];
  });
}

function ignoredSingle(single: string, list: readonly string[], name: string): readonly string[] {
  return single === list[0] ? [] : [`spec.networkProfile.${name} is ignored because ${name}s is set`];
}

function hostBitsWarning(text: string): readonly string[] {
  const [address = ''] = text.split('/');
  const [network, ip] = [networkFromText(text), ipFromText(address)];
  if (network === undefined || ip === undefined || ip.value === network.base) return [];
  return [`spec.networkProfile: ${text} means the network ${formatNetwork(network)}`];
}
