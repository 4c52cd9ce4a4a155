import type { KubeObject } from '../apimachinery/object.ts';
import type { Resource } from './client.ts';
import type {
  ApiService,
  ConfigMap,
  DaemonSet,
  Deployment,
  EndpointSlice,
  KubeEvent,
  Lease,
  Namespace,
  Node,
  Pod,
  Secret,
  Service,
  WebhookConfiguration,
} from './kinds.ts';
import { apiVersionOf } from './paths.ts';

/** A resource of which we know the static type `T`. */
export function defineResource<T extends KubeObject = KubeObject>(
  apiVersion: string,
  plural: string,
  kind: string,
  scope: 'Namespaced' | 'Cluster',
): Resource<T> {
  const slash = apiVersion.indexOf('/');
  return {
    group: slash === -1 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    plural,
    kind,
    namespaced: scope === 'Namespaced',
  };
}

export const SECRETS = defineResource<Secret>('v1', 'secrets', 'Secret', 'Namespaced');
export const CONFIG_MAPS = defineResource<ConfigMap>('v1', 'configmaps', 'ConfigMap', 'Namespaced');
export const SERVICES = defineResource<Service>('v1', 'services', 'Service', 'Namespaced');
export const SERVICE_ACCOUNTS = defineResource('v1', 'serviceaccounts', 'ServiceAccount', 'Namespaced');
export const ENDPOINTS = defineResource('v1', 'endpoints', 'Endpoints', 'Namespaced');
export const PODS = defineResource<Pod>('v1', 'pods', 'Pod', 'Namespaced');
export const EVENTS = defineResource<KubeEvent>('v1', 'events', 'Event', 'Namespaced');
export const PERSISTENT_VOLUME_CLAIMS = defineResource(
  'v1',
  'persistentvolumeclaims',
  'PersistentVolumeClaim',
  'Namespaced',
);
export const NAMESPACES = defineResource<Namespace>('v1', 'namespaces', 'Namespace', 'Cluster');
export const NODES = defineResource<Node>('v1', 'nodes', 'Node', 'Cluster');
export const DEPLOYMENTS = defineResource<Deployment>('apps/v1', 'deployments', 'Deployment', 'Namespaced');
export const DAEMON_SETS = defineResource<DaemonSet>('apps/v1', 'daemonsets', 'DaemonSet', 'Namespaced');
export const STATEFUL_SETS = defineResource('apps/v1', 'statefulsets', 'StatefulSet', 'Namespaced');
export const REPLICA_SETS = defineResource('apps/v1', 'replicasets', 'ReplicaSet', 'Namespaced');
export const JOBS = defineResource('batch/v1', 'jobs', 'Job', 'Namespaced');
export const CRON_JOBS = defineResource('batch/v1', 'cronjobs', 'CronJob', 'Namespaced');
export const POD_DISRUPTION_BUDGETS = defineResource(
  'policy/v1',
  'poddisruptionbudgets',
  'PodDisruptionBudget',
  'Namespaced',
);
export const INGRESSES = defineResource('networking.k8s.io/v1', 'ingresses', 'Ingress', 'Namespaced');
export const NETWORK_POLICIES = defineResource(
  'networking.k8s.io/v1',
  'networkpolicies',
  'NetworkPolicy',
  'Namespaced',
);
export const ROLES = defineResource('rbac.authorization.k8s.io/v1', 'roles', 'Role', 'Namespaced');
export const ROLE_BINDINGS = defineResource(
  'rbac.authorization.k8s.io/v1',
  'rolebindings',
  'RoleBinding',
  'Namespaced',
);
export const CLUSTER_ROLES = defineResource('rbac.authorization.k8s.io/v1', 'clusterroles', 'ClusterRole', 'Cluster');
export const CLUSTER_ROLE_BINDINGS = defineResource(
  'rbac.authorization.k8s.io/v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
  'Cluster',
);
export const MUTATING_WEBHOOK_CONFIGURATIONS = defineResource<WebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
  'Cluster',
);
export const VALIDATING_WEBHOOK_CONFIGURATIONS = defineResource<WebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
  'Cluster',
);
export const VALIDATING_ADMISSION_POLICIES = defineResource(
  'admissionregistration.k8s.io/v1',
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
  'Cluster',
);
export const VALIDATING_ADMISSION_POLICY_BINDINGS = defineResource(
  'admissionregistration.k8s.io/v1',
  'validatingadmissionpolicybindings',
  'ValidatingAdmissionPolicyBinding',
  'Cluster',
);
export const API_SERVICES = defineResource<ApiService>(
  'apiregistration.k8s.io/v1',
  'apiservices',
  'APIService',
  'Cluster',
);
export const CUSTOM_RESOURCE_DEFINITIONS = defineResource(
  'apiextensions.k8s.io/v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  'Cluster',
);
export const LEASES = defineResource<Lease>('coordination.k8s.io/v1', 'leases', 'Lease', 'Namespaced');
export const ENDPOINT_SLICES = defineResource<EndpointSlice>(
  'discovery.k8s.io/v1',
  'endpointslices',
  'EndpointSlice',
  'Namespaced',
);
export const CERTIFICATE_SIGNING_REQUESTS = defineResource(
  'certificates.k8s.io/v1',
  'certificatesigningrequests',
  'CertificateSigningRequest',
  'Cluster',
);
export const PRIORITY_CLASSES = defineResource('scheduling.k8s.io/v1', 'priorityclasses', 'PriorityClass', 'Cluster');
/** Our own kinds, untyped at this layer: `TENANT_CONTROL_PLANES as Resource<TenantControlPlane>`. */
export const TENANT_CONTROL_PLANES = defineResource(
  'kamaji.io/v1alpha1',
  'tenantcontrolplanes',
  'TenantControlPlane',
  'Namespaced',
);
export const DATA_STORES = defineResource('kamaji.io/v1alpha1', 'datastores', 'DataStore', 'Cluster');
export const KUBECONFIG_GENERATORS = defineResource(
  'kamaji.io/v1alpha1',
  'kubeconfiggenerators',
  'KubeconfigGenerator',
  'Cluster',
);

const KNOWN: readonly Resource[] = [
  SECRETS,
  CONFIG_MAPS,
  SERVICES,
  SERVICE_ACCOUNTS,
  ENDPOINTS,
  PODS,
  EVENTS,
  PERSISTENT_VOLUME_CLAIMS,
  NAMESPACES,
  NODES,
  DEPLOYMENTS,
  DAEMON_SETS,
  STATEFUL_SETS,
  REPLICA_SETS,
  JOBS,
  CRON_JOBS,
  POD_DISRUPTION_BUDGETS,
  INGRESSES,
  NETWORK_POLICIES,
  ROLES,
  ROLE_BINDINGS,
  CLUSTER_ROLES,
  CLUSTER_ROLE_BINDINGS,
  MUTATING_WEBHOOK_CONFIGURATIONS,
  VALIDATING_WEBHOOK_CONFIGURATIONS,
  VALIDATING_ADMISSION_POLICIES,
  VALIDATING_ADMISSION_POLICY_BINDINGS,
  API_SERVICES,
  CUSTOM_RESOURCE_DEFINITIONS,
  LEASES,
  ENDPOINT_SLICES,
  CERTIFICATE_SIGNING_REQUESTS,
  PRIORITY_CLASSES,
  TENANT_CONTROL_PLANES,
  DATA_STORES,
  KUBECONFIG_GENERATORS,
];

const byKind = new Map(KNOWN.map((resource) => [`${apiVersionOf(resource)}/${resource.kind}`, resource]));

/** The resource that holds objects of this apiVersion and kind. @throws RangeError for kinds that are not in the table. */
export function resourceFor(object: Pick<KubeObject, 'apiVersion' | 'kind'>): Resource {
  const resource = byKind.get(`${object.apiVersion}/${object.kind}`);
  if (!resource) throw new RangeError(`no resource is known for ${object.apiVersion} ${object.kind}`);
  return resource;
}
