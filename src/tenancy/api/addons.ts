import { array, boolean, described, integer, object, string } from '../../apimachinery/schema/builders.ts';
import type { Static } from '../../apimachinery/schema/typed.ts';
import { resourceRequirementsSchema, securityContextSchema, tolerationSchema } from './core-types.generated.ts';

const imageOverride = {
  enabled: boolean({ description: 'Whether the add-on is installed.', default: true }),
  imageRepository: string({ description: "Registry and path of the image; kubeadm's when left out." }),
  imageTag: string({ description: "Tag of the image; kubeadm's when left out." }),
};

const konnectivityServer = object(
  {
    port: integer({ description: 'Port that the agents connect to.', minimum: 1, maximum: 65535, default: 8132 }),
    image: string({
      description: 'Image of the server, without a tag.',
      default: 'registry.k8s.io/kas-network-proxy/proxy-server',
    }),
    version: string({ description: 'Tag of the image; the one that fits the Kubernetes version when left out.' }),
    resources: described(resourceRequirementsSchema, { description: 'Requests and limits of the container.' }),
    extraArgs: array(string(), { description: 'Command line arguments to append.' }),
    securityContext: described(securityContextSchema, { description: 'Security context of the container.' }),
  },
  { description: 'The server, a container beside kube-apiserver.', default: {} },
);
export type KonnectivityServer = Static<typeof konnectivityServer>;

const konnectivityAgent = object(
  {
    image: string({
      description: 'Image of the agent, without a tag.',
      default: 'registry.k8s.io/kas-network-proxy/proxy-agent',
    }),
    version: string({ description: 'Tag of the image; the one that fits the Kubernetes version when left out.' }),
    tolerations: array(tolerationSchema, {
      description: 'Taints that the agents tolerate.',
      default: [{ key: 'CriticalAddonsOnly', operator: 'Exists' }],
    }),
    extraArgs: array(string(), { description: 'Command line arguments to append.' }),
    hostNetwork: boolean({ description: 'Whether the agents use the network of their node.', default: false }),
    mode: string({ description: 'What runs the agents.', enum: ['DaemonSet', 'Deployment'], default: 'DaemonSet' }),
    replicas: integer({ description: 'Number of agents; only for mode Deployment.', minimum: 0 }),
  },
  { description: 'The agents, pods of the tenant.', default: {} },
);
export type KonnectivityAgent = Static<typeof konnectivityAgent>;

export const addons = object(
  {
    coreDNS: object(imageOverride, { description: 'Cluster DNS. Installed when this field is there, `{}` is enough.' }),
    kubeProxy: object(imageOverride, {
      description: 'Service network on the nodes. Installed when this field is there, `{}` is enough.',
    }),
    konnectivity: object(
      {
        enabled: boolean({
          description: 'Whether the add-on is installed. It is unless this is false.',
          default: true,
        }),
        server: konnectivityServer,
        agent: konnectivityAgent,
      },
      {
        description:
          'The tunnel by which the control plane reaches the nodes (logs, exec, webhooks). Installed unless enabled is false.',
        default: {},
      },
    ),
  },
  { description: 'What to install into the tenant.', default: {} },
);
export type Addons = Static<typeof addons>;
