import type { KubeObject } from '../../../apimachinery/object.ts';
import { newForbidden, newNotFound } from '../../../apimachinery/status.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';

/** Undefined: there is no such namespace. Must look at the cluster itself when a cache does not know the namespace. */
export type GetNamespace = (name: string) => Promise<{ readonly phase: string } | undefined>;

/**
 * Nothing is created in a namespace that is missing or going away; all else passes, so that a namespace can be emptied.
 * k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle.
 */
export function newNamespaceLifecycle(getNamespace: GetNamespace): AdmissionPlugin {
  const check = async (request: AdmissionRequest): Promise<void> => {
    const { operation, definition, namespace, subresource } = request;
    if (operation !== 'CREATE' || !definition.namespaced || subresource !== '') return;
    const found = await getNamespace(namespace);
    if (found === undefined) throw newNotFound({ group: '', resource: 'namespaces' }, namespace);
    if (found.phase !== 'Terminating') return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const cause = {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    };
    const resource = { group: definition.group, resource: definition.plural };
    throw newForbidden(resource, request.name, why, [cause]);
  };
  return {
    name: 'NamespaceLifecycle',
    // Among the mutations, because these come first: a missing namespace is told before anything about the object is.
    async mutate(request: AdmissionRequest): Promise<KubeObject> {
      await check(request);
      return request.object as KubeObject;
    },
  };
}
