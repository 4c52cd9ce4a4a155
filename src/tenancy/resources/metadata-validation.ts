import type { FieldError } from '../../apimachinery/field-error.ts';
import { forbiddenValue, invalidValue } from '../../apimachinery/field-error.ts';
import { checkLabelValue, checkQualifiedName } from '../../apimachinery/names.ts';
import type { LabelSelector } from '../api/core-types.generated.ts';
import type { AdditionalMetadata } from '../api/metadata.ts';
import { OWN_LABEL_DOMAINS } from '../api/reserved-names.ts';

/** Checks labels and annotations that go onto objects we make: valid, and not ours to begin with. */
export function validateAdditionalMetadata(
  metadata: AdditionalMetadata | undefined,
  path: string,
): readonly FieldError[] {
  return [
    ...validateLabelMap(metadata?.labels, `${path}.labels`),
    ...Object.keys(metadata?.labels ?? {})
      .filter((key) => OWN_LABEL_DOMAINS.some((domain) => key.startsWith(`${domain}/`)))
      .map((key) => forbiddenValue(`${path}.labels[${key}]`, 'labels of this domain are set by Kamaji')),
    ...Object.keys(metadata?.annotations ?? {}).flatMap((key) =>
      checkQualifiedName(key.toLowerCase()).map((complaint) => invalidValue(`${path}.annotations`, key, complaint)),
    ),
  ];
}

export function validateLabelMap(
  labels: Readonly<Record<string, string>> | undefined,
  path: string,
): readonly FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...checkQualifiedName(key).map((complaint) => invalidValue(path, key, complaint)),
    ...checkLabelValue(value).map((complaint) => invalidValue(`${path}[${key}]`, value, complaint)),
  ]);
}

/** k8s.io/apimachinery/pkg/apis/meta/v1/validation, ValidateLabelSelector. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): readonly FieldError[] {
  return [
    ...validateLabelMap(selector?.matchLabels, `${path}.matchLabels`),
    ...(selector?.matchExpressions ?? []).flatMap((requirement, index) => {
      const at = `${path}.matchExpressions[${index}]`;
      return [
        ...checkQualifiedName(requirement.key).map((complaint) =>
          invalidValue(`${at}.key`, requirement.key, complaint),
        ),
        ...validateOperator(requirement.operator, requirement.values ?? [], at),
      ];
    }),
  ];
}

function validateOperator(operator: string, values: readonly string[], path: string): readonly FieldError[] {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      return [invalidValue(`${path}.values`, values, `operator ${operator} needs at least one value`)];
    return values.flatMap((value, index) =>
      checkLabelValue(value).map((complaint) => invalidValue(`${path}.values[${index}]`, value, complaint)),
    );
  }
  if (operator === 'Exists' || operator === 'DoesNotExist') {
    return values.length === 0 ? [] : [forbiddenValue(`${path}.values`, `operator ${operator} takes no values`)];
  }
  return [invalidValue(`${path}.operator`, operator, 'must be In, NotIn, Exists or DoesNotExist')];
}
