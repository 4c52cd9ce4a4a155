import type { Schema } from '../../src/apimachinery/schema/schema.ts';
import { allResources } from '../../src/tenancy/resources/all.ts';
import { crdSchema } from '../env/twin-crd.ts';
import { stressSchema } from './stress-schema.ts';

/** A kind whose writes are compared. */
export interface Subject {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: Schema;
  readonly hasStatus: boolean;
  /** Names on the way to the replicas of the scale subresource. */
  readonly replicas: readonly string[] | undefined;
}

export const subjects: Readonly<Record<string, Subject>> = {
  stress: {
    group: 'stress.example.com',
    version: 'v1',
    kind: 'Stress',
    schema: stressSchema,
    hasStatus: true,
    replicas: ['spec', 'replicas'],
  },
  plain: {
    group: 'stress.example.com',
    version: 'v1',
    kind: 'Plain',
    schema: stressSchema,
    hasStatus: false,
    replicas: undefined,
  },
  ...Object.fromEntries(
    allResources({ tenantControlPlaneConnect: [] }).map((definition) => [
      definition.plural,
      {
        group: definition.group,
        version: definition.version,
        kind: definition.kind,
        schema: definition.schema,
        hasStatus: definition.subresources.status === true,
        replicas: definition.subresources.scale?.specReplicasPath.split('.').slice(1),
      },
    ]),
  ),
};

/** The CustomResourceDefinition from which upstream makes its types. */
export function crdOf(subject: Subject): object {
  const { group, version, kind, schema, hasStatus, replicas } = subject;
  const plural = `${kind.toLowerCase()}s`;
  const path = replicas === undefined ? undefined : `.${replicas.join('.')}`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      conversion: { strategy: 'None' },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: crdSchema(schema) },
          subresources: {
            ...(hasStatus ? { status: {} } : {}),
            ...(path === undefined
              ? {}
              : { scale: { specReplicasPath: path, statusReplicasPath: '.status.replicas' } }),
          },
        },
      ],
    },
  };
}
