import type { Container } from '../../api/core-types.generated.ts';
import { konnectivityEnabled } from '../addons/enabled.ts';
import { advertiseAddress } from '../advertise-address.ts';
import { CERTIFICATES_DIR } from '../kubeadm-configuration.ts';
import type { TenantInput } from '../tenant-input.ts';
import { hasFlag, mergeArguments, type Flags } from './args.ts';
import { KONNECTIVITY_SOCKET_DIR } from './config-maps.ts';
import { controlPlaneImage, PULL_POLICY } from './images.ts';
import { containerProbes } from './probes.ts';
import { defaultSecurityContext } from './security.ts';
import { EGRESS_CONFIGURATION_FILE, FILES_DIR, VOLUMES } from './volumes.ts';

const pki = (file: string) => `${CERTIFICATES_DIR}/${file}`;

/**
 * All checks but two. At every start kube-apiserver waits a second before it looks whether the roles and priority classes
 * that it brings along are there (pkg/registry/rbac/rest, EnsureRBACPolicy), and it serves in that second. In a tenant
 * that exists they are, so that a control plane that wakes up or is replaced is ready a second sooner; in a new one the
 * probe, as an anonymous request, waits for the roles by itself. When the two fail, the process ends.
 */
const READINESS_PATH =
  '/readyz?exclude=poststarthook/rbac/bootstrap-roles&exclude=poststarthook/scheduling/bootstrap-system-priority-classes';

export function apiServerContainer(input: TenantInput): Container {
  const { tenant } = input;
  const { deployment } = tenant.spec.controlPlane;
  return {
    name: 'kube-apiserver',
    image: controlPlaneImage(tenant, 'apiServerImage'),
    imagePullPolicy: PULL_POLICY,
    command: ['kube-apiserver'],
    args: apiServerArguments(input),
    ...containerProbes(
      'apiServer',
      { port: tenant.spec.networkProfile.port, livenessPath: '/livez', readinessPath: READINESS_PATH },
      deployment.probes,
    ),
    resources: deployment.resources?.apiServer ?? {},
    // The file of kube-apiserver carries this capability: without it in the bounding set it cannot even be started.
    securityContext: deployment.containerSecurityContexts?.apiServer ?? defaultSecurityContext(['NET_BIND_SERVICE']),
    volumeMounts: [
      { name: VOLUMES.apiServer, mountPath: FILES_DIR, readOnly: true },
      ...(konnectivityEnabled(tenant)
        ? [{ name: VOLUMES.konnectivitySocket, mountPath: KONNECTIVITY_SOCKET_DIR }]
        : []),
      ...(deployment.additionalVolumeMounts?.apiServer ?? []),
    ],
  };
}

function apiServerArguments(input: TenantInput): readonly string[] {
  const { tenant } = input;
  const extra = tenant.spec.controlPlane.deployment.extraArgs?.apiServer;
  return mergeArguments({ managed: managedFlags(input), defaults: defaultFlags(input, extra), extra });
}

function managedFlags(input: TenantInput): Flags {
  const { tenant, storage } = input;
  const { networkProfile, kubernetes } = tenant.spec;
  return {
    'advertise-address': advertiseAddress(input),
    'client-ca-file': pki('ca.crt'),
    'egress-selector-config-file': konnectivityEnabled(tenant) ? EGRESS_CONFIGURATION_FILE : undefined,
    'enable-admission-plugins': kubernetes.admissionControllers.join(',') || undefined,
    'etcd-cafile': pki('etcd/ca.crt'),
    'etcd-certfile': pki('etcd/server.crt'),
    // Compaction is for the whole store; one of many tenants has neither the right nor the overview.
    'etcd-compaction-interval': '0',
    'etcd-keyfile': pki('etcd/server.key'),
    'etcd-prefix': `/${storage.schema}`,
    'etcd-servers': storage.endpoints.map((endpoint) => `https://${endpoint}`).join(','),
    'kubelet-client-certificate': pki('apiserver-kubelet-client.crt'),
    'kubelet-client-key': pki('apiserver-kubelet-client.key'),
    'kubelet-preferred-address-types': kubernetes.kubelet.preferredAddressTypes.join(','),
    'proxy-client-cert-file': pki('front-proxy-client.crt'),
    'proxy-client-key-file': pki('front-proxy-client.key'),
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-client-ca-file': pki('front-proxy-ca.crt'),
    'secure-port': String(networkProfile.port),
    'service-account-key-file': pki('sa.pub'),
    'service-account-signing-key-file': pki('sa.key'),
    'service-cluster-ip-range': networkProfile.serviceCidrs.join(','),
    'tls-cert-file': pki('apiserver.crt'),
    'tls-private-key-file': pki('apiserver.key'),
  };
}

function defaultFlags({ tenant }: TenantInput, extra: readonly string[] | undefined): Flags {
  return {
    'allow-privileged': 'true',
    // The two ways to configure authorization exclude each other.
    'authorization-mode': hasFlag(extra, 'authorization-config') ? undefined : 'Node,RBAC',
    'enable-bootstrap-token-auth': 'true',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-username-headers': 'X-Remote-User',
    'service-account-issuer': `https://kubernetes.default.svc.${tenant.spec.networkProfile.clusterDomain}`,
    // Goes on serving until every kube-proxy knows that this pod is leaving; else a rollout refuses connections for a moment.
    'shutdown-delay-duration': '5s',
  };
}
