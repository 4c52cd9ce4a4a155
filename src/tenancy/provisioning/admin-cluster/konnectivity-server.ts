import type { Container } from '../../api/core-types.generated.ts';
import { CERTIFICATES_DIR } from '../kubeadm-configuration.ts';
import type { TenantInput } from '../tenant-input.ts';
import { mergeArguments, type Flags } from './args.ts';
import { KONNECTIVITY_SOCKET, KONNECTIVITY_SOCKET_DIR } from './config-maps.ts';
import { konnectivityServerImage, PULL_POLICY } from './images.ts';
import { defaultSecurityContext } from './security.ts';
import { FILES_DIR, VOLUMES } from './volumes.ts';

const ADMIN_PORT = 8133;
const HEALTH_PORT = 8134;

/** The tunnel's end beside kube-apiserver, which talks to it over a socket; the agents of the nodes come in by TCP. */
export function konnectivityServerContainer({ tenant }: TenantInput): Container {
  const { server } = tenant.spec.addons.konnectivity;
  const replicas = tenant.spec.controlPlane.deployment.replicas;
  return {
    name: 'konnectivity-server',
    image: konnectivityServerImage(tenant),
    imagePullPolicy: PULL_POLICY,
    command: ['/proxy-server'],
    args: mergeArguments({ managed: managedFlags(server.port, replicas), extra: server.extraArgs }),
    ports: [
      { name: 'agentport', containerPort: server.port, protocol: 'TCP' },
      { name: 'adminport', containerPort: ADMIN_PORT, protocol: 'TCP' },
      { name: 'healthport', containerPort: HEALTH_PORT, protocol: 'TCP' },
    ],
    // No readiness probe: it counts as ready only when an agent is there, and an agent comes through the Service, which
    // leads to ready pods.
    livenessProbe: {
      httpGet: { path: '/healthz', port: HEALTH_PORT, scheme: 'HTTP' },
      initialDelaySeconds: 30,
      timeoutSeconds: 60,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
    resources: server.resources ?? {},
    securityContext: server.securityContext ?? socketOwner(tenant.spec.controlPlane.deployment),
    volumeMounts: [
      { name: VOLUMES.konnectivityServer, mountPath: FILES_DIR, readOnly: true },
      { name: VOLUMES.konnectivitySocket, mountPath: KONNECTIVITY_SOCKET_DIR },
    ],
  };
}

/** Only the socket's owner may write to it, so the server runs as the user that kube-apiserver was told to run as. */
function socketOwner(deployment: TenantInput['tenant']['spec']['controlPlane']['deployment']) {
  const { runAsUser, runAsGroup, runAsNonRoot } = deployment.containerSecurityContexts?.apiServer ?? {};
  return {
    ...defaultSecurityContext(),
    ...(runAsUser === undefined ? {} : { runAsUser, runAsNonRoot: runAsNonRoot ?? runAsUser !== 0 }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
  };
}

function managedFlags(port: number, replicas: number): Flags {
  return {
    'admin-port': String(ADMIN_PORT),
    'agent-namespace': 'kube-system',
    'agent-port': String(port),
    'agent-service-account': 'konnectivity-agent',
    'authentication-audience': 'system:konnectivity-server',
    'cluster-cert': `${CERTIFICATES_DIR}/apiserver.crt`,
    'cluster-key': `${CERTIFICATES_DIR}/apiserver.key`,
    'health-port': String(HEALTH_PORT),
    kubeconfig: `${FILES_DIR}/konnectivity-server.conf`,
    mode: 'grpc',
    // Agents connect until they have met as many servers.
    'server-count': String(Math.max(replicas, 1)),
    'server-port': '0',
    'uds-name': KONNECTIVITY_SOCKET,
  };
}
