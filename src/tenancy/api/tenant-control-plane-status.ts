import {
  array,
  boolean,
  described,
  extend,
  integer,
  object,
  required,
  string,
  time,
} from '../../apimachinery/schema/builders.ts';
import type { Static } from '../../apimachinery/schema/typed.ts';
import { deploymentStatusSchema, ingressStatusSchema, loadBalancerStatusSchema } from './core-types.generated.ts';
import { condition } from './metadata.ts';

const checksum = string({ description: 'Hash of the content.' });
const lastUpdate = time({ description: 'When it last changed.' });

const secret = object({ secretName: string({ description: 'Name of the Secret.' }), checksum, lastUpdate });
export type SecretStatus = Static<typeof secret>;

const phase = object({ checksum, lastUpdate });

const objectReference = object({
  name: string({ description: 'Name of the object.' }),
  namespace: string({ description: 'Namespace of the object.' }),
  lastUpdate,
});

const namedService = {
  name: required(string({ description: 'Name of the Service.' })),
  namespace: required(string({ description: 'Namespace of the Service.' })),
  port: required(integer({ description: 'Port of the Service.' })),
  loadBalancer: described(loadBalancerStatusSchema, { description: 'Addresses that a load balancer gave.' }),
  conditions: array(condition, { description: 'Conditions of the Service.', listType: 'map', keys: ['type'] }),
};
const service = object(namedService);
export type ServiceReport = Static<typeof service>;

const gateway = object({
  parents: array(
    object({
      parentRef: required(
        object(
          {
            group: string({ description: 'API group of the parent.' }),
            kind: string({ description: 'Kind of the parent.' }),
            name: required(string({ description: 'Name of the parent.' })),
            namespace: string({ description: 'Namespace of the parent.' }),
            sectionName: string({ description: 'Listener of the parent.' }),
            port: integer({ description: 'Port of the listener.' }),
          },
          { description: 'The parent.' },
        ),
      ),
      controllerName: required(string({ description: 'Controller that wrote this entry.' })),
      conditions: array(condition, { description: 'What the parent says.', listType: 'map', keys: ['type'] }),
    }),
    { description: 'What each parent says about the route.', maxItems: 32 },
  ),
  routeRef: object({ name: string({ description: 'Name of the route.' }) }, { description: 'The route.' }),
  accessPoints: array(
    object({
      type: required(string({ description: 'Kind of address, such as Hostname or IPAddress.' })),
      value: required(string({ description: 'The address.' })),
      port: required(integer({ description: 'Port of the listener.' })),
      urls: array(string(), { description: 'URLs that lead to the control plane.' }),
    }),
    { description: 'Where the control plane is reached through the parents.' },
  ),
});

/** The phase shown as STATUS; told once for all to read. */
const versionStatus = object({
  version: string({ description: 'Kubernetes version that runs.' }),
  status: string({
    description: 'What the control plane is doing.',
    enum: [
      'Unknown',
      'Provisioning',
      'CertificateAuthorityRotating',
      'Upgrading',
      'Migrating',
      'Ready',
      'NotReady',
      'Sleeping',
      'WriteLimited',
    ],
    default: 'Provisioning',
  }),
});
export type TenantPhase = Static<typeof versionStatus>['status'];

const deployment = extend(deploymentStatusSchema, {
  name: required(string({ description: 'Name of the Deployment.' })),
  namespace: required(string({ description: 'Namespace of the Deployment.' })),
  selector: required(string({ description: 'Label selector of the pods.' })),
  lastUpdate,
});

const ingress = extend(ingressStatusSchema, {
  name: required(string({ description: 'Name of the Ingress.' })),
  namespace: required(string({ description: 'Namespace of the Ingress.' })),
});

const addon = object({ enabled: required(boolean({ description: 'Whether it is installed.' })), lastUpdate });

export const tenantControlPlaneStatus = object(
  {
    observedGeneration: integer({ description: 'Generation that the status was computed from.', format: 'int64' }),
    conditions: array(condition, {
      description: 'Aspects of the state; Ready is among them and its message names what is missing.',
      listType: 'map',
      keys: ['type'],
    }),
    controlPlaneEndpoint: string({ description: 'Address and port under which the API is reached.' }),
    storage: object(
      {
        driver: string({ description: 'Driver of the DataStore.' }),
        dataStoreName: string({ description: 'Name of the DataStore.' }),
        config: object(
          { secretName: string({ description: 'Name of the Secret.' }), checksum },
          { description: 'Connection settings of the tenant.' },
        ),
        setup: object(
          {
            schema: string({ description: 'Key range or database of the tenant.' }),
            user: string({ description: 'User of the tenant.' }),
            checksum,
            lastUpdate,
          },
          { description: 'What was set up in the DataStore.' },
        ),
        certificate: described(secret, { description: 'Client certificate of the tenant.' }),
      },
      { description: 'Where the tenant stores its objects.' },
    ),
    certificates: object(
      {
        ca: described(secret, { description: 'Certificate authority of the tenant.' }),
        apiServer: described(secret, { description: 'Serving certificate of kube-apiserver.' }),
        apiServerKubeletClient: described(secret, { description: 'Client certificate for the kubelets.' }),
        frontProxyCA: described(secret, { description: 'Certificate authority of the front proxy.' }),
        frontProxyClient: described(secret, { description: 'Client certificate of the front proxy.' }),
        sa: described(secret, { description: 'Keys of the service account tokens.' }),
        etcd: object(
          {
            apiServer: described(secret, { description: 'Client certificate for etcd.' }),
            ca: described(secret, { description: 'Certificate authority of etcd.' }),
          },
          { description: 'Certificates for etcd.' },
        ),
      },
      { description: 'Secrets that hold the certificates.' },
    ),
    kubeconfig: object(
      {
        admin: described(secret, { description: 'Of the administrators.' }),
        controllerManager: described(secret, { description: 'Of kube-controller-manager.' }),
        scheduler: described(secret, { description: 'Of kube-scheduler.' }),
      },
      { description: 'Secrets that hold kubeconfigs.' },
    ),
    kubeadmconfig: object(
      { configmapName: string({ description: 'Name of the ConfigMap.' }), checksum, lastUpdate },
      { description: 'Configuration in the terms of kubeadm.' },
    ),
    kubeadmPhase: object(
      { bootstrapToken: described(phase, { description: 'What joining nodes need.' }) },
      { description: 'What kubeadm would have put into the tenant.' },
    ),
    kubernetesResources: object(
      {
        version: described(versionStatus, { description: 'Version and phase.' }),
        deployment: described(deployment, { description: 'The Deployment of the control plane.' }),
        service: described(service, { description: 'The Service of the control plane.' }),
        ingress: described(ingress, { description: 'The Ingress of the control plane.' }),
        gateway: described(gateway, { description: 'The TLSRoute of the control plane.' }),
      },
      { description: 'Objects in the admin cluster.' },
    ),
    addons: object(
      {
        coreDNS: described(addon, { description: 'Cluster DNS.' }),
        kubeProxy: described(addon, { description: 'Service network on the nodes.' }),
        konnectivity: object(
          {
            enabled: required(boolean({ description: 'Whether it is installed.' })),
            configMap: object(
              { name: string({ description: 'Name of the ConfigMap.' }), checksum },
              { description: 'Configuration of the egress selector.' },
            ),
            certificate: described(secret, { description: 'Client certificate of the server.' }),
            kubeconfig: described(secret, { description: 'Kubeconfig of the server.' }),
            sa: described(objectReference, { description: 'ServiceAccount of the agents.' }),
            clusterrolebinding: described(objectReference, { description: 'Rights of the server.' }),
            agent: object(
              {
                name: string({ description: 'Name of the object.' }),
                namespace: string({ description: 'Namespace of the object.' }),
                mode: string({ description: 'Kind of the object.' }),
                lastUpdate,
              },
              { description: 'What runs the agents.' },
            ),
            service: described(service, { description: 'The Service that the agents connect to.' }),
            gateway: described(gateway, { description: 'The TLSRoute that the agents connect to.' }),
          },
          { description: 'The tunnel to the nodes.' },
        ),
      },
      { description: 'What is installed in the tenant.' },
    ),
  },
  { description: 'Observed state.' },
);
export type TenantControlPlaneStatus = Static<typeof tenantControlPlaneStatus>;
