import type { FieldError } from '../../../apimachinery/field-error.ts';
import { duplicateValue, invalidValue, requiredValue } from '../../../apimachinery/field-error.ts';
import type { KonnectivityAgent } from '../../api/addons.ts';
import type { KubernetesSettings } from '../../api/kubernetes.ts';
import type { TenantControlPlaneSpec } from '../../api/tenant-control-plane.ts';

type JsonPatchOperation = NonNullable<KubernetesSettings['kubelet']['configurationJSONPatches']>[number];

/** A tag of an image, as the distribution specification has it. */
const TAG = /^\w[\w.-]{0,127}$/;

/** Admission plugins and kubelet settings. The version has its own file, because it depends on the old object. */
export function validateKubernetes({ admissionControllers, kubelet }: KubernetesSettings): readonly FieldError[] {
  const seen = new Set<string>();
  return [
    ...admissionControllers.flatMap((plugin, index) => {
      const again = seen.has(plugin);
      seen.add(plugin);
      return again ? [duplicateValue(`spec.kubernetes.admissionControllers[${index}]`, plugin)] : [];
    }),
    ...(kubelet.configurationJSONPatches ?? []).flatMap((operation, index) =>
      validatePatch(operation, `spec.kubernetes.kubelet.configurationJSONPatches[${index}]`),
    ),
  ];
}

function validatePatch(operation: JsonPatchOperation, path: string): readonly FieldError[] {
  const { op } = operation;
  const errors = [...validatePointer(operation.path, `${path}.path`)];
  if (op === 'move' || op === 'copy') {
    if (operation.from === undefined) errors.push(requiredValue(`${path}.from`, `operation ${op} needs a source`));
    else errors.push(...validatePointer(operation.from, `${path}.from`));
  } else if (op !== 'remove' && operation.value === undefined) {
    errors.push(requiredValue(`${path}.value`, `operation ${op} needs a value`));
  }
  return errors;
}

/** RFC 6901. */
function validatePointer(pointer: string, path: string): readonly FieldError[] {
  if (/^(\/([^~/]|~[01])*)*$/.test(pointer)) return [];
  return [invalidValue(path, pointer, 'must be a JSON pointer, such as /maxPods')];
}

/** Versions and tags become parts of image names. */
export function validateAddons({ addons }: TenantControlPlaneSpec): readonly FieldError[] {
  const { server, agent } = addons.konnectivity;
  return [
    ...validateTag(server.version, 'spec.addons.konnectivity.server.version'),
    ...validateTag(agent.version, 'spec.addons.konnectivity.agent.version'),
    ...validateTag(addons.coreDNS?.imageTag, 'spec.addons.coreDNS.imageTag'),
    ...validateTag(addons.kubeProxy?.imageTag, 'spec.addons.kubeProxy.imageTag'),
    ...validateAgentReplicas(agent),
  ];
}

function validateTag(tag: string | undefined, path: string): readonly FieldError[] {
  return !tag || TAG.test(tag) ? [] : [invalidValue(path, tag, 'must be the tag of an image')];
}

function validateAgentReplicas({ mode, replicas }: KonnectivityAgent): readonly FieldError[] {
  const path = 'spec.addons.konnectivity.agent.replicas';
  if (mode === 'DaemonSet' && replicas !== undefined && replicas !== 0) {
    return [
      invalidValue(path, replicas, 'must be left out or 0 with mode DaemonSet, which runs one agent on every node'),
    ];
  }
  if (mode === 'Deployment' && replicas === 0)
    return [invalidValue(path, replicas, 'must be above 0 with mode Deployment')];
  return [];
}
