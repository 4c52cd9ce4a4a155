import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allResources } from '../../../src/tenancy/resources/all.ts';
import { GROUP } from '../../../src/tenancy/api/group.ts';
import { dataStoreObject, tenantObject } from '../../env/api-objects.ts';
import type { RawApi } from '../../env/raw-api.ts';
import { eventually } from '../../env/run.ts';
import { installTwins } from '../../env/twin-crd.ts';
import type { Side } from './flow.ts';

/**
 * As long as ours, so that columns are as wide. No part of it is a group of ours: kubectl reads `tcp.twin.kamaji.io` as version
 * `twin` of `kamaji.io` and takes our resource for it.
 */
export const TWIN_GROUP = 'kamaji.tw';

interface Made {
  readonly metadata: object;
  readonly spec: { readonly controlPlane: { readonly deployment: object } };
}

/** Makes the sides of flows once both groups are served, with all their documents. */
export interface Sides {
  /** Ours and the twin's, each with a namespace (made by the caller) and a folder of its own. */
  both(label: string): Promise<readonly [Side, Side]>;
  /** Removes their folders. */
  close(): Promise<void>;
}

/** The namespaces of a label's sides. */
export function namespacesOf(label: string): readonly [string, string] {
  return [`ours-${label}`, `twin-${label}`];
}

/** Installs the twins, and waits until the documents that `kubectl explain` and `apply` read know both groups. */
export async function openSides(api: RawApi): Promise<Sides> {
  await installTwins(allResources({ tenantControlPlaneConnect: [] }), TWIN_GROUP);
  await api.ask(`/apis/${GROUP}/v1alpha1/datastores`, { method: 'POST', body: dataStoreObject('default') });
  // Defaults that no schema can tell are filled in beforehand: a CRD would leave them out.
  const { spec } = await api.read<Made>(`/apis/${GROUP}/v1alpha1/namespaces/default/tenantcontrolplanes?dryRun=All`, {
    method: 'POST',
    body: tenantObject('default'),
  });
  const folder = await mkdtemp(join(tmpdir(), 'kamaji-kubectl-'));
  await eventually(
    'both groups in the OpenAPI documents',
    async () => {
      const [v2, v3] = [await api.ask('/openapi/v2'), await api.ask('/openapi/v3')];
      const groups = [GROUP, TWIN_GROUP];
      const isThere = groups.every(
        (group) =>
          v2.text.includes(`"/apis/${group}/v1alpha1/datastores"`) && v3.text.includes(`apis/${group}/v1alpha1`),
      );
      return isThere ? true : undefined;
    },
    { timeoutMs: 120_000, intervalMs: 1_000 },
  );
  const side = (group: string, namespace: string): Side => ({
    group,
    resource: `tenantcontrolplanes.${group}`,
    short: `tcp.${group}`,
    dataStores: `datastores.${group}`,
    namespace,
    folder: join(folder, namespace),
    tenant: (name, { metadata = {}, deployment = {}, status, ...changes } = {}) =>
      JSON.stringify({
        apiVersion: `${group}/v1alpha1`,
        kind: 'TenantControlPlane',
        metadata: { name, namespace, ...metadata },
        spec:
          'spec' in changes && changes.spec === undefined
            ? undefined
            : {
                ...spec,
                controlPlane: { ...spec.controlPlane, deployment: { ...spec.controlPlane.deployment, ...deployment } },
                ...changes.spec,
              },
        status,
      }),
    dataStore: (name, metadata = {}) => {
      const made = dataStoreObject(name);
      return JSON.stringify({ ...made, apiVersion: `${group}/v1alpha1`, metadata: { name, ...metadata } });
    },
  });
  return {
    both: (label) => {
      const [ours, twins] = namespacesOf(label);
      return Promise.resolve([side(GROUP, ours), side(TWIN_GROUP, twins)]);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
