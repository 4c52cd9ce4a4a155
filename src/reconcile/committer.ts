import { deepEqual } from '../apimachinery/json.ts';
import type { KubeObject } from '../apimachinery/object.ts';
import { isConflict, isNotFound } from '../kubeclient/api-error.ts';
import type { KubeClient, Resource } from '../kubeclient/client.ts';

export type WithStatus = KubeObject & { readonly status?: object | undefined };

export interface StatusCommit<T extends WithStatus> {
  readonly client: KubeClient;
  readonly resource: Resource<T>;
  /** The object as last read; may be stale. */
  readonly object: T;
  /** The status that it should have. Pure, as it is asked again after a conflict, with the newer object. */
  readonly next: (current: T) => NonNullable<T['status']>;
  readonly signal: AbortSignal;
}

const MAX_CONFLICTS = 4;

/**
 * Writes a status once, and only when it differs (the order of keys is no difference). Answers the object with the status, and
 * undefined when it is gone or was replaced by another of its name. @throws ApiError
 */
export async function commitStatus<T extends WithStatus>(commit: StatusCommit<T>): Promise<T | undefined> {
  const { client, resource, signal } = commit;
  const { name = '', namespace = '', uid } = commit.object.metadata;
  let current: T | undefined = commit.object;
  for (let conflicts = 0; ; conflicts++) {
    if (!current || current.metadata.uid !== uid) return undefined;
    const status = commit.next(current);
    if (deepEqual(current.status ?? {}, status)) return current;
    try {
      return await client.update(resource, { ...current, status }, { subresource: 'status', signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!isConflict(error) || conflicts >= MAX_CONFLICTS) throw error;
      current = await client.find(resource, namespace, name, { signal });
    }
  }
}
