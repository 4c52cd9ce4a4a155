import { array, described, integer, object, required, string } from '../../apimachinery/schema/builders.ts';
import { kind } from '../../apimachinery/schema/kind.ts';
import type { KubeObject } from '../../apimachinery/object.ts';
import type { Static } from '../../apimachinery/schema/typed.ts';
import { labelSelectorSchema } from './core-types.generated.ts';
import { condition } from './metadata.ts';

const compoundValue = object({
  stringValue: string({ description: 'The text itself. Excludes fromDefinition.' }),
  fromDefinition: string({
    description: 'Dotted path of a text in the TenantControlPlane, such as `metadata.name`. Excludes stringValue.',
  }),
});
/** A text given in place or taken from the TenantControlPlane; exactly one of both. */
export type CompoundValue = Static<typeof compoundValue>;

export const kubeconfigGeneratorSpec = object(
  {
    namespaceSelector: described(labelSelectorSchema, {
      description: 'Namespaces whose tenants are meant; all when empty.',
    }),
    tenantControlPlaneSelector: described(labelSelectorSchema, {
      description: 'Tenants that are meant; all when empty.',
    }),
    user: required(described(compoundValue, { description: 'User name in the kubeconfig.' })),
    groups: array(compoundValue, { description: 'Groups of the user.' }),
    controlPlaneEndpointFrom: string({
      description: 'Key of the admin kubeconfig Secret that the server address is taken from.',
      default: 'admin.svc',
    }),
  },
  { description: 'Desired state.' },
);
export type KubeconfigGeneratorSpec = Static<typeof kubeconfigGeneratorSpec>;

export const kubeconfigGeneratorStatus = object(
  {
    observedGeneration: integer({ description: 'Generation that the status was computed from.', format: 'int64' }),
    conditions: array(condition, { description: 'Aspects of the state.', listType: 'map', keys: ['type'] }),
    resources: required(integer({ description: 'Number of tenants that are meant.' })),
    availableResources: required(integer({ description: 'Number of kubeconfigs that are there.' })),
    errors: array(
      object({
        resource: required(string({ description: 'Tenant, as `namespace/name`.' })),
        message: required(string({ description: 'What went wrong.' })),
      }),
      { description: 'What went wrong, one entry for each tenant.' },
    ),
  },
  { description: 'Observed state.' },
);
export type KubeconfigGeneratorStatus = Static<typeof kubeconfigGeneratorStatus>;

/** Makes a kubeconfig of one user for every tenant that it selects. */
export interface KubeconfigGenerator extends KubeObject {
  readonly spec: KubeconfigGeneratorSpec;
  readonly status?: KubeconfigGeneratorStatus;
}

export const kubeconfigGenerator = kind<KubeconfigGenerator>({
  description: 'Makes a kubeconfig of one user for every tenant that it selects.',
  spec: kubeconfigGeneratorSpec,
  status: kubeconfigGeneratorStatus,
});
