import { eventually, runOk } from './run.ts';
import { toOpenApiV3 } from '../../src/apimachinery/schema/openapi.ts';
import type { Schema } from '../../src/apimachinery/schema/schema.ts';
import type { ResourceDefinition } from '../../src/apiserver/registry/definition.ts';

/** The group of the twins: what kube-apiserver itself serves beside our own. */
export const TWIN_GROUP = 'twin.kamaji.io';

export interface TwinCrd {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

/**
 * A CustomResourceDefinition that makes kube-apiserver serve the same kind under another group: same schema, names, scope, printer
 * columns and the subresources status and scale. Rules that live in code (a strategy, admission) are missing, as are subresources
 * that answer with another kind.
 */
export function twinCrd(definition: ResourceDefinition, group: string = TWIN_GROUP): TwinCrd {
  const { plural, singular, kind, shortNames, categories, subresources } = definition;
  const { scale, status } = subresources;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: definition.namespaced ? 'Namespaced' : 'Cluster',
      // Short names and categories are the twin's too: who uses them with kubectl says the group as well (`tcp.twin.kamaji.io`).
      names: { plural, singular, kind, listKind: `${kind}List`, shortNames, categories },
      versions: [
        {
          name: definition.version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: crdSchema(definition.schema) },
          additionalPrinterColumns: definition.printerColumns,
          subresources: {
            ...(status === true ? { status: {} } : {}),
            ...(scale === undefined ? {} : { scale }),
          },
        },
      ],
    },
  };
}

/** The schema of a kind as a CRD may have it: it may say nothing about `metadata`. */
export function crdSchema(schema: Schema): object {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...properties } = schema.properties ?? {};
  return toOpenApiV3({ ...schema, properties });
}

/** Gives the cluster of `hack/up` the twins, and waits until they are served. @throws Error when kube-apiserver refuses one */
export async function installTwins(
  definitions: readonly ResourceDefinition[],
  group: string = TWIN_GROUP,
): Promise<void> {
  const items = definitions.map((definition) => twinCrd(definition, group));
  // Server-side: the annotation of a client-side apply would not hold a schema of this size.
  await runOk('hack/kubectl', ['apply', '--server-side', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
  await eventually('the twins to be served', async () => {
    const served = await runOk('hack/kubectl', ['api-resources', `--api-group=${group}`, '-o', 'name']);
    return items.every(({ metadata }) => served.includes(metadata.name)) ? true : undefined;
  });
}
