import type { Container } from '../../api/core-types.generated.ts';
import { CERTIFICATES_DIR } from '../kubeadm-configuration.ts';
import type { TenantInput } from '../tenant-input.ts';
import { mergeArguments, type Flags } from './args.ts';
import { controlPlaneImage, PULL_POLICY } from './images.ts';
import { containerProbes } from './probes.ts';
import { defaultSecurityContext } from './security.ts';
import { FILES_DIR, VOLUMES } from './volumes.ts';

const KUBECONFIG = `${FILES_DIR}/scheduler.conf`;

const MANAGED: Flags = {
  'authentication-kubeconfig': KUBECONFIG,
  'authorization-kubeconfig': KUBECONFIG,
  'bind-address': '0.0.0.0',
  // As files, because what it cannot read from the API server at its start it would do without until its end.
  'client-ca-file': `${CERTIFICATES_DIR}/ca.crt`,
  kubeconfig: KUBECONFIG,
  'leader-elect': 'true',
  'requestheader-client-ca-file': `${CERTIFICATES_DIR}/front-proxy-ca.crt`,
};

export function schedulerContainer({ tenant }: TenantInput): Container {
  const { deployment } = tenant.spec.controlPlane;
  return {
    name: 'kube-scheduler',
    image: controlPlaneImage(tenant, 'schedulerImage'),
    imagePullPolicy: PULL_POLICY,
    command: ['kube-scheduler'],
    args: mergeArguments({ managed: MANAGED, extra: deployment.extraArgs?.scheduler }),
    ...containerProbes(
      'scheduler',
      { port: 10259, livenessPath: '/healthz', readinessPath: '/healthz' },
      deployment.probes,
    ),
    resources: deployment.resources?.scheduler ?? {},
    securityContext: deployment.containerSecurityContexts?.scheduler ?? defaultSecurityContext(),
    volumeMounts: [
      { name: VOLUMES.scheduler, mountPath: FILES_DIR, readOnly: true },
      ...(deployment.additionalVolumeMounts?.scheduler ?? []),
    ],
  };
}
