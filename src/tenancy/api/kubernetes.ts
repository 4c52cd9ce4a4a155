import { anyJson, array, object, required, string } from '../../apimachinery/schema/builders.ts';
import type { Static } from '../../apimachinery/schema/typed.ts';

/**
 * Admission plugins on by default. kubeadm's NodeRestriction is among them: the Node authorizer alone lets a kubelet
 * change other nodes' labels and pods.
 */
const DEFAULT_ADMISSION_PLUGINS = [
  'CertificateApproval',
  'CertificateSigning',
  'CertificateSubjectRestriction',
  'DefaultIngressClass',
  'DefaultStorageClass',
  'DefaultTolerationSeconds',
  'LimitRanger',
  'MutatingAdmissionWebhook',
  'NamespaceLifecycle',
  'NodeRestriction',
  'PersistentVolumeClaimResize',
  'Priority',
  'ResourceQuota',
  'RuntimeClass',
  'ServiceAccount',
  'StorageObjectInUseProtection',
  'TaintNodesByCondition',
  'ValidatingAdmissionWebhook',
] as const;

/** Further plugins that kube-apiserver knows (pkg/kubeapiserver/options/plugins.go, AllOrderedPlugins). */
const OTHER_ADMISSION_PLUGINS = [
  'AlwaysAdmit',
  'AlwaysDeny',
  'AlwaysPullImages',
  'ClusterTrustBundleAttest',
  'DenyServiceExternalIPs',
  'EventRateLimit',
  'ExtendedResourceToleration',
  'ImagePolicyWebhook',
  'LimitPodHardAntiAffinityTopology',
  'MutatingAdmissionPolicy',
  'NamespaceAutoProvision',
  'NamespaceExists',
  'OwnerReferencesPermissionEnforcement',
  'PodNodeSelector',
  'PodSecurity',
  'PodTolerationRestriction',
  'PodTopologyLabels',
  'ValidatingAdmissionPolicy',
] as const;

const kubelet = object(
  {
    configurationJSONPatches: array(
      object({
        op: required(string({ description: 'Operation.', enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'] })),
        path: required(string({ description: 'JSON pointer to the field that the operation is about.' })),
        from: string({ description: 'JSON pointer to the source of move and copy.' }),
        value: anyJson({ description: 'Value of add, replace and test.' }),
      }),
      { description: 'JSON patches (RFC 6902) to the KubeletConfiguration that joining nodes download.' },
    ),
    preferredAddressTypes: array(
      string({ enum: ['Hostname', 'InternalIP', 'ExternalIP', 'InternalDNS', 'ExternalDNS'] }),
      {
        description: 'Kinds of node addresses, in the order in which kube-apiserver tries them.',
        minItems: 1,
        listType: 'set',
        default: ['InternalIP', 'ExternalIP', 'Hostname'],
      },
    ),
    cgroupfs: string({
      description: 'Cgroup driver of the kubelets. Deprecated: use configurationJSONPatches.',
      enum: ['systemd', 'cgroupfs'],
    }),
  },
  { description: 'What the kubelets of the tenant get told.', default: {} },
);

export const kubernetes = object(
  {
    version: required(string({ description: 'Kubernetes version of the tenant, such as v1.36.1.', minLength: 1 })),
    admissionControllers: array(string({ enum: [...DEFAULT_ADMISSION_PLUGINS, ...OTHER_ADMISSION_PLUGINS] }), {
      description: 'Admission plugins to enable besides those that kube-apiserver enables by itself.',
      default: DEFAULT_ADMISSION_PLUGINS,
    }),
    kubelet,
    encryptionAlgorithm: string({
      description: 'Algorithm of the keys made for the tenant. Cannot be changed later.',
      enum: ['ECDSA-P256', 'RSA-2048'],
      default: 'ECDSA-P256',
    }),
  },
  { description: 'Which Kubernetes the tenant gets.' },
);
export type KubernetesSettings = Static<typeof kubernetes>;
