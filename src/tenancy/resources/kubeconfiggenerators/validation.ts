import type { FieldError } from '../../../apimachinery/field-error.ts';
import { forbiddenValue, invalidValue, requiredValue } from '../../../apimachinery/field-error.ts';
import { deepEqual } from '../../../apimachinery/json.ts';
import type { CompoundValue, KubeconfigGenerator } from '../../api/kubeconfig-generator.ts';
import { tenantObjectNames } from '../../provisioning/names.ts';
import { validateLabelSelector } from '../metadata-validation.ts';

/** The Secret is called `<tenant>-<generator>`, like those that belong to the tenant itself. */
const TAKEN_NAMES: ReadonlySet<string> = new Set(
  Object.values(tenantObjectNames('')).flatMap((name) => (name.startsWith('-') ? [name.slice(1)] : [])),
);

/** Rules that a schema cannot tell. The object has gone through defaulting and satisfies its schema. */
export function validateKubeconfigGenerator(generator: KubeconfigGenerator): readonly FieldError[] {
  const name = generator.metadata.name ?? '';
  return [
    ...(TAKEN_NAMES.has(name)
      ? [invalidValue('metadata.name', name, 'its Secrets would take the name of one of the tenant')]
      : []),
    ...validateSpec(generator),
  ];
}

/** An unchanged spec is not looked at again, nor that of an object on its way out. */
export function validateKubeconfigGeneratorUpdate(
  next: KubeconfigGenerator,
  old: KubeconfigGenerator,
): readonly FieldError[] {
  if (next.metadata.deletionTimestamp !== undefined || deepEqual(next.spec, old.spec)) return [];
  return validateSpec(next);
}

function validateSpec({ spec }: KubeconfigGenerator): readonly FieldError[] {
  return [
    ...validateLabelSelector(spec.namespaceSelector, 'spec.namespaceSelector'),
    ...validateLabelSelector(spec.tenantControlPlaneSelector, 'spec.tenantControlPlaneSelector'),
    ...validateCompoundValue(spec.user, 'spec.user'),
    ...(spec.groups ?? []).flatMap((group, index) => validateCompoundValue(group, `spec.groups[${index}]`)),
    ...(/^[-._a-zA-Z0-9]{1,253}$/.test(spec.controlPlaneEndpointFrom)
      ? []
      : [invalidValue('spec.controlPlaneEndpointFrom', spec.controlPlaneEndpointFrom, 'must be the key of a Secret')]),
  ];
}

function validateCompoundValue({ stringValue, fromDefinition }: CompoundValue, path: string): readonly FieldError[] {
  if (stringValue && fromDefinition) return [forbiddenValue(path, 'stringValue and fromDefinition exclude each other')];
  if (!stringValue && !fromDefinition) return [requiredValue(path, 'stringValue or fromDefinition must be given')];
  if (!fromDefinition || /^\.?[\w-]+(\.[\w-]+)*$/.test(fromDefinition)) return [];
  return [invalidValue(`${path}.fromDefinition`, fromDefinition, 'must be a dotted path, such as metadata.name')];
}

/** Names that Kubernetes gives a meaning of its own. */
export function kubeconfigGeneratorWarnings({ spec }: KubeconfigGenerator): readonly string[] {
  return [
    ...(spec.user.stringValue?.startsWith('system:') === true
      ? [`spec.user: ${spec.user.stringValue} is a name that Kubernetes uses itself`]
      : []),
    ...(spec.groups ?? []).flatMap(({ stringValue }, index) =>
      stringValue === 'system:masters'
        ? [`spec.groups[${index}]: members of system:masters may do everything, and no role can take it from them`]
        : [],
    ),
  ];
}
