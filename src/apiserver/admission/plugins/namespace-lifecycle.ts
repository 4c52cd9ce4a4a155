import type { KubeObject } from '../../../apimachinery/object.ts';
import { newForbidden, newNotFound } from '../../../apimachinery/status.ts';
import { SharedRead } from '../../../base/shared-read.ts';
import type { AdmissionPlace, AdmissionPlugin, AdmissionRequest } from '../admission.ts';

/** Undefined: there is no such namespace. With `fromCache` the answer may be that of a cache, a moment behind. */
export type GetNamespace = (name: string, options: { readonly fromCache: boolean }) => Promise<FoundNamespace>;

type FoundNamespace = { readonly phase: string } | undefined;

/**
 * Nothing is created in a namespace that is missing or going away; all else passes, so that a namespace can be emptied.
 * What a cache says is enough for a yes, as it is there; before a no the cluster itself is asked.
 * k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle.
 */
export function newNamespaceLifecycle(getNamespace: GetNamespace): AdmissionPlugin {
  /** By name, while somebody asks: many creates at a time share a look, which is always a later one than the request. */
  const looks = new Map<string, { readonly read: SharedRead<FoundNamespace>; asking: number }>();
  const begun = new WeakMap<object, Promise<FoundNamespace>>();

  const find = async (namespace: string): Promise<FoundNamespace> => {
    const found = await getNamespace(namespace, { fromCache: true });
    return found?.phase === 'Active' ? found : getNamespace(namespace, { fromCache: false });
  };
  const look = async (namespace: string): Promise<FoundNamespace> => {
    const known = looks.get(namespace) ?? { read: new SharedRead(() => find(namespace)), asking: 0 };
    looks.set(namespace, known);
    known.asking++;
    try {
      return await known.read.read();
    } finally {
      if (--known.asking === 0) looks.delete(namespace);
    }
  };
  const check = async (request: AdmissionRequest): Promise<void> => {
    const { definition, namespace } = request;
    if (!concerns(request)) return;
    const found = await (begun.get(request.request) ?? look(namespace));
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
    begin(place) {
      if (!concerns(place)) return;
      const looking = look(place.namespace);
      begun.set(place.request, looking);
      // Nobody may ever come for it.
      looking.catch(() => undefined);
    },
    // Among the mutations, because these come first: a missing namespace is told before anything about the object is.
    async mutate(request: AdmissionRequest): Promise<KubeObject> {
      await check(request);
      return request.object as KubeObject;
    },
  };
}

function concerns({ operation, definition, subresource }: AdmissionPlace): boolean {
  return operation === 'CREATE' && definition.namespaced && subresource === '';
}
