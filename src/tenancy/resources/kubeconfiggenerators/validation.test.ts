import { expect, test } from 'vitest';
import { formatFieldError } from '../../../apimachinery/field-error.ts';
import type { JsonObject } from '../../../apimachinery/object.ts';
import { applyDefaults } from '../../../apimachinery/schema/defaulting.ts';
import { validate } from '../../../apimachinery/schema/validation.ts';
import { kubeconfigGenerator } from '../../api/kubeconfig-generator.ts';
import type { KubeconfigGenerator } from '../../api/kubeconfig-generator.ts';
import {
  kubeconfigGeneratorWarnings,
  validateKubeconfigGenerator,
  validateKubeconfigGeneratorUpdate,
} from './validation.ts';

function generator(spec: JsonObject, metadata: JsonObject = { name: 'g' }): KubeconfigGenerator {
  const object = { apiVersion: 'kamaji.io/v1alpha1', kind: 'KubeconfigGenerator', metadata, spec };
  return applyDefaults(kubeconfigGenerator, object as unknown as KubeconfigGenerator);
}

function findings(spec: JsonObject, metadata?: JsonObject): readonly string[] {
  const object = generator(spec, metadata);
  const errors = validate(kubeconfigGenerator, object);
  return (errors.length > 0 ? errors : validateKubeconfigGenerator(object)).map(formatFieldError);
}

const user = { stringValue: 'alice' };

// prettier-ignore
const accepted: readonly JsonObject[] = [
  { user },
  { user: { fromDefinition: 'metadata.name' }, groups: [{ stringValue: 'a' }, { fromDefinition: '.metadata.labels.team' }] },
  { user, namespaceSelector: { matchLabels: { a: 'b' } }, tenantControlPlaneSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }, { key: 'c', operator: 'Exists' }] } },
  { user, controlPlaneEndpointFrom: 'admin.conf' },
];

test.each(accepted)('accepted: %j', (spec) => expect(findings(spec)).toEqual([]));

// prettier-ignore
const refused: readonly (readonly [JsonObject, string])[] = [
  [{}, 'spec.user: Required value'],
  [{ user: {} }, 'spec.user: Required value: stringValue or fromDefinition must be given'],
  [{ user: { stringValue: '' } }, 'spec.user: Required value: stringValue or fromDefinition must be given'],
  [{ user: { stringValue: 'a', fromDefinition: 'metadata.name' } }, 'spec.user: Forbidden: stringValue and fromDefinition exclude each other'],
  [{ user: { fromDefinition: 'metadata..name' } }, 'spec.user.fromDefinition: Invalid value: "metadata..name": must be a dotted path, such as metadata.name'],
  [{ user, groups: [{}] }, 'spec.groups[0]: Required value: stringValue or fromDefinition must be given'],
  [{ user, controlPlaneEndpointFrom: 'a b' }, 'spec.controlPlaneEndpointFrom: Invalid value: "a b": must be the key of a Secret'],
  [{ user, namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }, 'spec.namespaceSelector.matchExpressions[0].values: Invalid value: []: operator In needs at least one value'],
  [{ user, namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } }, 'spec.namespaceSelector.matchExpressions[0].values: Forbidden: operator Exists takes no values'],
  [{ user, tenantControlPlaneSelector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } }, 'spec.tenantControlPlaneSelector.matchExpressions[0].operator: Invalid value: "Near": must be In, NotIn, Exists or DoesNotExist'],
];

test.each(refused)('refused: %j', (spec, message) => expect(findings(spec)).toEqual([message]));

test.each(['ca', 'admin-kubeconfig', 'datastore-certificate'])(
  'the name %s would take a Secret of the tenant',
  (name) => {
    expect(findings({ user }, { name })).toEqual([
      `metadata.name: Invalid value: "${name}": its Secrets would take the name of one of the tenant`,
    ]);
  },
);

test('no rule stands between an invalid object and its deletion', () => {
  expect(
    validateKubeconfigGeneratorUpdate(
      generator({ user: {} }),
      generator({ user: {} }, { name: 'g', finalizers: ['a'] }),
    ),
  ).toEqual([]);
  const leaving = generator({ user: {} }, { name: 'g', deletionTimestamp: '2026-01-02T03:04:05Z' });
  expect(validateKubeconfigGeneratorUpdate(leaving, generator({ user }))).toEqual([]);
});

test('powerful names are pointed out', () => {
  const object = generator({
    user: { stringValue: 'system:admin' },
    groups: [{ stringValue: 'a' }, { stringValue: 'system:masters' }],
  });
  expect(kubeconfigGeneratorWarnings(object)).toEqual([
    'spec.user: system:admin is a name that Kubernetes uses itself',
    'spec.groups[1]: members of system:masters may do everything, and no role can take it from them',
  ]);
  expect(kubeconfigGeneratorWarnings(generator({ user }))).toEqual([]);
});
