import {
  array,
  boolean,
  described,
  integer,
  intOrString,
  map,
  object,
  required,
  string,
} from '../../apimachinery/schema/builders.ts';
import type { Static } from '../../apimachinery/schema/typed.ts';
import {
  affinitySchema,
  containerSchema,
  deploymentStrategySchema,
  podSecurityContextSchema,
  resourceRequirementsSchema,
  securityContextSchema,
  tolerationSchema,
  topologySpreadConstraintSchema,
  volumeMountSchema,
  volumeSchema,
} from './core-types.generated.ts';
import { additionalMetadata } from './metadata.ts';

const extraArgs = array(string());

const probe = object({
  initialDelaySeconds: integer({
    description: 'Seconds after the start of the container before the first probe.',
    minimum: 0,
  }),
  timeoutSeconds: integer({ description: 'Seconds until an unanswered probe counts as failed.', minimum: 1 }),
  periodSeconds: integer({ description: 'Seconds between two probes.', minimum: 1 }),
  successThreshold: integer({ description: 'Successes in a row that make a failed probe good again.', minimum: 1 }),
  failureThreshold: integer({ description: 'Failures in a row that make the probe fail.', minimum: 1 }),
});
export type ProbeSettings = Static<typeof probe>;

const probeSet = {
  liveness: described(probe, { description: 'Restarts the container when it fails.' }),
  readiness: described(probe, { description: 'Takes the pod out of the Service when it fails.' }),
  startup: described(probe, { description: 'Holds the other probes back until it succeeds.' }),
};
const componentProbes = object(probeSet);
export type ComponentProbes = Static<typeof componentProbes>;

const registrySettings = object(
  {
    registry: string({ description: 'Registry and path in front of the image names.', default: 'registry.k8s.io' }),
    apiServerImage: string({ description: 'Image name of kube-apiserver.', default: 'kube-apiserver' }),
    controllerManagerImage: string({
      description: 'Image name of kube-controller-manager.',
      default: 'kube-controller-manager',
    }),
    schedulerImage: string({ description: 'Image name of kube-scheduler.', default: 'kube-scheduler' }),
    tagSuffix: string({ description: 'Text to append to the version in the image tag.' }),
  },
  { description: 'Where the images of the control plane come from.', default: {} },
);

const deployment = object(
  {
    replicas: integer({
      description: 'Number of control plane pods. 0 puts the tenant to sleep and keeps its data.',
      minimum: 0,
      default: 2,
    }),
    registrySettings,
    nodeSelector: map(string(), { description: 'Labels that a node must have to run the control plane.' }),
    runtimeClassName: string({ description: 'RuntimeClass of the control plane pods.' }),
    strategy: described(deploymentStrategySchema, {
      description: 'How pods are replaced when the template changes.',
      default: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '100%' } },
    }),
    tolerations: array(tolerationSchema, { description: 'Taints that the control plane pods tolerate.' }),
    affinity: described(affinitySchema, { description: 'Where the control plane pods prefer or need to run.' }),
    topologySpreadConstraints: array(topologySpreadConstraintSchema, {
      description: 'How the control plane pods spread over the admin cluster. The label selector is filled in.',
    }),
    resources: object(
      {
        apiServer: described(resourceRequirementsSchema, { description: 'Of kube-apiserver.' }),
        controllerManager: described(resourceRequirementsSchema, { description: 'Of kube-controller-manager.' }),
        scheduler: described(resourceRequirementsSchema, { description: 'Of kube-scheduler.' }),
        kine: described(resourceRequirementsSchema, { description: 'Of kine, where the DataStore needs it.' }),
      },
      { description: 'Requests and limits of the containers.' },
    ),
    extraArgs: object(
      {
        apiServer: described(extraArgs, { description: 'Of kube-apiserver. Flags that we manage keep their value.' }),
        controllerManager: described(extraArgs, { description: 'Of kube-controller-manager. They win over our own.' }),
        scheduler: described(extraArgs, { description: 'Of kube-scheduler. Flags that we manage keep their value.' }),
        kine: described(extraArgs, { description: 'Of kine, where the DataStore needs it.' }),
      },
      { description: 'Command line arguments to append, each as `--flag=value`.' },
    ),
    additionalMetadata: described(additionalMetadata, { description: 'Labels and annotations of the Deployment.' }),
    podAdditionalMetadata: described(additionalMetadata, { description: 'Labels and annotations of the pods.' }),
    additionalInitContainers: array(containerSchema, { description: 'Init containers to add to the pods.' }),
    additionalContainers: array(containerSchema, { description: 'Containers to add to the pods.' }),
    additionalVolumes: array(volumeSchema, { description: 'Volumes to add to the pods.' }),
    additionalVolumeMounts: object(
      {
        apiServer: array(volumeMountSchema, { description: 'Of kube-apiserver.' }),
        controllerManager: array(volumeMountSchema, { description: 'Of kube-controller-manager.' }),
        scheduler: array(volumeMountSchema, { description: 'Of kube-scheduler.' }),
      },
      { description: 'Volume mounts to add to our containers.' },
    ),
    probes: object(
      {
        ...probeSet,
        apiServer: described(componentProbes, { description: 'Of kube-apiserver; wins over the settings for all.' }),
        controllerManager: described(componentProbes, {
          description: 'Of kube-controller-manager; wins over the settings for all.',
        }),
        scheduler: described(componentProbes, { description: 'Of kube-scheduler; wins over the settings for all.' }),
      },
      { description: 'Timing of the probes of all our containers, or of one.' },
    ),
    serviceAccountName: string({ description: 'ServiceAccount of the control plane pods.', default: 'default' }),
    automountServiceAccountToken: boolean({ description: 'Whether the pods get a token of that ServiceAccount.' }),
    containerSecurityContexts: object(
      {
        apiServer: described(securityContextSchema, { description: 'Of kube-apiserver.' }),
        controllerManager: described(securityContextSchema, { description: 'Of kube-controller-manager.' }),
        scheduler: described(securityContextSchema, { description: 'Of kube-scheduler.' }),
      },
      { description: 'Security contexts of our containers.' },
    ),
    podSecurityContext: described(podSecurityContextSchema, { description: 'Security context of the pods.' }),
  },
  { description: 'The Deployment that runs the control plane.', default: {} },
);
export type ControlPlaneDeployment = Static<typeof deployment>;

const service = object(
  {
    serviceType: required(
      string({
        description: 'How the API of the tenant is reached.',
        enum: ['ClusterIP', 'NodePort', 'LoadBalancer'],
      }),
    ),
    additionalMetadata: described(additionalMetadata, { description: 'Labels and annotations of the Service.' }),
    additionalPorts: array(
      object({
        name: required(string({ description: 'Name of the port, unique within the Service.' })),
        port: required(integer({ description: 'Port of the Service.', minimum: 1, maximum: 65535 })),
        targetPort: required(intOrString({ description: 'Number or name of the container port behind it.' })),
        protocol: string({ description: 'Transport protocol.', enum: ['TCP', 'UDP', 'SCTP'], default: 'TCP' }),
        appProtocol: string({ description: 'Application protocol, a hint for implementations.' }),
      }),
      { description: 'Ports to add to the Service.' },
    ),
    allocateLoadBalancerNodePorts: boolean({
      description: 'Whether a LoadBalancer Service also gets node ports. True when unset.',
    }),
  },
  { description: 'The Service in front of the control plane.' },
);
export type ControlPlaneService = Static<typeof service>;

const ingress = object(
  {
    additionalMetadata: described(additionalMetadata, { description: 'Labels and annotations of the Ingress.' }),
    ingressClassName: string({ description: 'Ingress class, which must pass TLS through.' }),
    hostname: string({ description: 'Host name, with a port if it is not that of the network profile.' }),
  },
  { description: 'An Ingress in front of the control plane. Excludes gateway.' },
);
export type ControlPlaneIngress = Static<typeof ingress>;

/** sigs.k8s.io/gateway-api/apis/v1 ParentReference. */
const parentReference = object({
  group: string({ description: 'API group of the parent.', default: 'gateway.networking.k8s.io', maxLength: 253 }),
  kind: string({ description: 'Kind of the parent.', default: 'Gateway', minLength: 1, maxLength: 63 }),
  name: required(string({ description: 'Name of the parent.', minLength: 1, maxLength: 253 })),
  namespace: string({ description: 'Namespace of the parent.', minLength: 1, maxLength: 63 }),
  sectionName: string({ description: 'Listener of the parent.', minLength: 1, maxLength: 253 }),
  port: integer({ description: 'Port of the listener.', minimum: 1, maximum: 65535 }),
});
export type ParentReference = Static<typeof parentReference>;

const gateway = object(
  {
    additionalMetadata: described(additionalMetadata, { description: 'Labels and annotations of the TLSRoutes.' }),
    hostname: string({
      description: 'Host name that the routes match, without a port.',
      minLength: 1,
      maxLength: 253,
      pattern: String.raw`^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`,
    }),
    parentRefs: array(parentReference, { description: 'Gateways to attach the routes to.' }),
  },
  { description: 'TLSRoutes of the Gateway API in front of the control plane. Excludes ingress.' },
);
export type ControlPlaneGateway = Static<typeof gateway>;

export const controlPlane = object(
  { deployment, service: required(service), ingress, gateway },
  { description: 'How the control plane runs in the admin cluster and how it is reached.' },
);
export type ControlPlane = Static<typeof controlPlane>;
