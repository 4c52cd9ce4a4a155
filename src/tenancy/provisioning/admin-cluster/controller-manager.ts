import type { Container } from '../../api/core-types.generated.ts';
import { CERTIFICATES_DIR } from '../kubeadm-configuration.ts';
import type { TenantInput } from '../tenant-input.ts';
import { mergeArguments, type Flags } from './args.ts';
import { controlPlaneImage, PULL_POLICY } from './images.ts';
import { containerProbes } from './probes.ts';
import { defaultSecurityContext } from './security.ts';
import { FILES_DIR, VOLUMES } from './volumes.ts';

const pki = (file: string) => `${CERTIFICATES_DIR}/${file}`;
const KUBECONFIG = `${FILES_DIR}/controller-manager.conf`;

export function controllerManagerContainer(input: TenantInput): Container {
  const { tenant } = input;
  const { deployment } = tenant.spec.controlPlane;
  return {
    name: 'kube-controller-manager',
    image: controlPlaneImage(tenant, 'controllerManagerImage'),
    imagePullPolicy: PULL_POLICY,
    command: ['kube-controller-manager'],
    // The user's flags win here: mask sizes and the set of controllers are theirs to choose.
    args: mergeArguments({ defaults: ownFlags(input), extra: deployment.extraArgs?.controllerManager }),
    ...containerProbes(
      'controllerManager',
      { port: 10257, livenessPath: '/healthz', readinessPath: '/healthz' },
      deployment.probes,
    ),
    resources: deployment.resources?.controllerManager ?? {},
    securityContext: deployment.containerSecurityContexts?.controllerManager ?? defaultSecurityContext(),
    volumeMounts: [
      { name: VOLUMES.controllerManager, mountPath: FILES_DIR, readOnly: true },
      ...(deployment.additionalVolumeMounts?.controllerManager ?? []),
    ],
  };
}

function ownFlags({ tenant }: TenantInput): Flags {
  const { networkProfile } = tenant.spec;
  return {
    'allocate-node-cidrs': 'true',
    'authentication-kubeconfig': KUBECONFIG,
    'authorization-kubeconfig': KUBECONFIG,
    // The kubelet asks for its health on the address of the pod.
    'bind-address': '0.0.0.0',
    // Both CAs as files: else it asks the API server for them at the start, and ends when that does not answer yet.
    'client-ca-file': pki('ca.crt'),
    'cluster-cidr': networkProfile.podCidrs.join(','),
    'cluster-name': tenant.metadata.name ?? '',
    'cluster-signing-cert-file': pki('ca.crt'),
    'cluster-signing-key-file': pki('ca.key'),
    controllers: '*,bootstrapsigner,tokencleaner',
    // Every controller begins by making itself a credential. At the default of 20 requests a second that takes five
    // seconds, in which a new tenant has no service account and so cannot run a pod; at 50 it takes less than one.
    'kube-api-burst': '100',
    'kube-api-qps': '50',
    kubeconfig: KUBECONFIG,
    // Also with one replica: while pods are being replaced there are two.
    'leader-elect': 'true',
    'requestheader-client-ca-file': pki('front-proxy-ca.crt'),
    'root-ca-file': pki('ca.crt'),
    'service-account-private-key-file': pki('sa.key'),
    'service-cluster-ip-range': networkProfile.serviceCidrs.join(','),
    'use-service-account-credentials': 'true',
  };
}
