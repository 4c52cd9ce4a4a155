import { isJsonObject } from '../../../apimachinery/json.ts';
import type { Json, JsonObject } from '../../../apimachinery/object.ts';
import { defaultTenantControlPlane } from '../../api/tenant-control-plane-defaults.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';

/** Objects for the tests of this folder. */

/** The least that a user has to write. */
export const SMALLEST = { controlPlane: { service: { serviceType: 'ClusterIP' } }, kubernetes: { version: 'v1.35.2' } };

/** Objects are merged, all else is replaced. */
function merge(base: Json | undefined, change: Json | undefined): Json | undefined {
  if (!isJsonObject(base) || !isJsonObject(change)) return change;
  const keys = [...Object.keys(base), ...Object.keys(change)];
  return Object.fromEntries(keys.map((key) => [key, key in change ? merge(base[key], change[key]) : base[key]]));
}

/** A defaulted object: the smallest one with these fields over it. */
export function tenant(spec: JsonObject = {}, metadata: JsonObject = {}, status?: JsonObject): TenantControlPlane {
  return defaultTenantControlPlane({
    apiVersion: 'kamaji.io/v1alpha1',
    kind: 'TenantControlPlane',
    metadata: { name: 't1', namespace: 'default', uid: 'uid-1', ...metadata },
    spec: merge(SMALLEST, spec),
    ...(status === undefined ? {} : { status }),
  });
}

export const nodePort = (profile: JsonObject, konnectivity: JsonObject = { server: { port: 30001 } }): JsonObject => ({
  controlPlane: { service: { serviceType: 'NodePort' } },
  networkProfile: profile,
  addons: { konnectivity },
});
export const service = (settings: JsonObject): JsonObject => ({ controlPlane: { service: settings } });
export const deployment = (settings: JsonObject): JsonObject => ({ controlPlane: { deployment: settings } });
export const network = (networkProfile: JsonObject): JsonObject => ({ networkProfile });
export const loadBalancer = (networkProfile: JsonObject, more: JsonObject = {}): JsonObject => ({
  networkProfile,
  controlPlane: { service: { serviceType: 'LoadBalancer', ...more } },
});
export const patch = (operation: JsonObject): JsonObject => ({
  kubernetes: { kubelet: { configurationJSONPatches: [operation] } },
});
