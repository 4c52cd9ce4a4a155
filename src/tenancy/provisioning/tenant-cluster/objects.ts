import type { JsonObject, KubeObject } from '../../../apimachinery/object.ts';
import { LABEL_COMPONENT, LABEL_PROJECT, PROJECT } from '../names.ts';

/** Makes objects for a tenant's cluster that carry our labels, by which drift is found and leftovers are pruned. */
export interface ObjectFactory {
  object(apiVersion: string, kind: string, place: Place, content: JsonObject): KubeObject;
  configMap(place: Place, data: Readonly<Record<string, string>>): KubeObject;
  serviceAccount(place: Place): KubeObject;
  role(place: Place, rules: readonly Rule[]): KubeObject;
  roleBinding(place: Place, role: string, subjects: readonly Subject[]): KubeObject;
  clusterRole(name: string, rules: readonly Rule[]): KubeObject;
  clusterRoleBinding(name: string, clusterRole: string, subjects: readonly Subject[]): KubeObject;
}

export interface Place {
  readonly name: string;
  /** Absent: cluster-scoped. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

export type Subject =
  | { readonly kind: 'User' | 'Group'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace: string };

export const KUBE_SYSTEM = 'kube-system';
export const KUBE_PUBLIC = 'kube-public';

/** The groups that kubeadm's RBAC is about (cmd/kubeadm/app/constants). */
export const BOOTSTRAPPERS: Subject = { kind: 'Group', name: 'system:bootstrappers:kubeadm:default-node-token' };
export const NODES: Subject = { kind: 'Group', name: 'system:nodes' };

const RBAC_GROUP = 'rbac.authorization.k8s.io';
const RBAC = `${RBAC_GROUP}/v1`;

/** A factory for the objects of the component `component`. */
export function objectsOf(component: string): ObjectFactory {
  const object = (apiVersion: string, kind: string, place: Place, content: JsonObject): KubeObject => {
    const { name, namespace, annotations } = place;
    return {
      apiVersion,
      kind,
      metadata: {
        name,
        ...(namespace !== undefined && { namespace }),
        labels: { ...place.labels, [LABEL_PROJECT]: PROJECT, [LABEL_COMPONENT]: component },
        ...(annotations && { annotations }),
      },
      ...content,
    };
  };
  return {
    object,
    configMap: (place, data) => object('v1', 'ConfigMap', place, { data }),
    serviceAccount: (place) => object('v1', 'ServiceAccount', place, {}),
    role: (place, rules) => object(RBAC, 'Role', place, { rules: rules.map(toJson) }),
    roleBinding: (place, role, subjects) => object(RBAC, 'RoleBinding', place, binding('Role', role, subjects)),
    clusterRole: (name, rules) => object(RBAC, 'ClusterRole', { name }, { rules: rules.map(toJson) }),
    clusterRoleBinding: (name, clusterRole, subjects) =>
      object(RBAC, 'ClusterRoleBinding', { name }, binding('ClusterRole', clusterRole, subjects)),
  };
}

/** A Role that may read one ConfigMap, and its binding, both of one name. */
export function readersOf(
  objects: ObjectFactory,
  configMap: string,
  place: Place,
  subjects: readonly Subject[],
): readonly KubeObject[] {
  return [
    objects.role(place, [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [configMap], verbs: ['get'] }]),
    objects.roleBinding(place, place.name, subjects),
  ];
}

function binding(kind: 'Role' | 'ClusterRole', name: string, subjects: readonly Subject[]): JsonObject {
  return {
    roleRef: { apiGroup: RBAC_GROUP, kind, name },
    subjects: subjects.map((subject) =>
      subject.kind === 'ServiceAccount' ? { ...subject } : { apiGroup: RBAC_GROUP, ...subject },
    ),
  };
}

function toJson(rule: Rule): JsonObject {
  return { ...rule };
}
