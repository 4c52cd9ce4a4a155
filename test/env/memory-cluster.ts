import { deepEqual, isJsonObject } from '../../src/apimachinery/json.ts';
import type { KubeList, KubeObject, ObjectMeta } from '../../src/apimachinery/object.ts';
import type { Status } from '../../src/apimachinery/status.ts';
import { ApiError } from '../../src/kubeclient/api-error.ts';
import type {
  KubeClient,
  ListCallOptions,
  Resource,
  WatchCallOptions,
  WatchEvent,
} from '../../src/kubeclient/client.ts';
import { keyOf, objectKey } from '../../src/kubeclient/store.ts';

interface Stored {
  object: KubeObject;
  /** What each field manager applied last. */
  readonly applied: Map<string, KubeObject>;
}

interface Change {
  readonly resource: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  readonly revision: number;
}

/**
 * A cluster in memory for unit tests: revisions, conflicts, preconditions, watches, and as much of server-side apply as one manager needs
 * (what it no longer applies goes away). No schemas, defaults or garbage collection: whether those fit is for the tests on a real server.
 */
export class MemoryCluster implements KubeClient {
  /** Every call as `VERB plural/namespace/name`, subresource after a colon. */
  readonly calls: string[] = [];
  /** Called before each call with the same text; what it throws is the answer. */
  intercept: (call: string) => void | Promise<void> = () => undefined;
  readonly #objects = new Map<string, Map<string, Stored>>();
  readonly #changes: Change[] = [];
  readonly #watchers = new Set<() => void>();
  #revision = 100;
  #uids = 0;

  /** The object as stored, without a call. */
  peek<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string): T | undefined {
    return this.#of(resource).get(keyOf(resource.namespaced ? namespace : '', name))?.object as T | undefined;
  }

  /** How many calls were made since this was asked last. */
  takeCalls(): readonly string[] {
    return this.calls.splice(0);
  }

  /** Puts or replaces an object, as another client would. */
  put<T extends KubeObject>(resource: Resource<T>, object: T): T {
    const stored = this.#of(resource).get(objectKey(object));
    return this.#write(resource, object, stored) as T;
  }

  remove(resource: Resource, namespace: string, name: string): void {
    const key = keyOf(resource.namespaced ? namespace : '', name);
    const stored = this.#of(resource).get(key);
    if (!stored) return;
    this.#of(resource).delete(key);
    const resourceVersion = String(++this.#revision);
    this.#announce(resource, 'DELETED', { ...stored.object, metadata: { ...stored.object.metadata, resourceVersion } });
  }

  async get<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string): Promise<T> {
    await this.#called('GET', resource, namespace, name);
    return copy(this.#require(resource, namespace, name).object as T);
  }

  async find<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string): Promise<T | undefined> {
    await this.#called('GET', resource, namespace, name);
    return copy(this.peek(resource, namespace, name));
  }

  async list<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    options: ListCallOptions = {},
  ): Promise<KubeList<T>> {
    await this.#called('LIST', resource, namespace, '');
    const items = [...this.#of(resource).values()]
      .map((stored) => stored.object as T)
      .filter(
        (object) =>
          (namespace === '' || object.metadata.namespace === namespace) && matches(object, options.labelSelector),
      )
      .map((object) => copy((options.metadataOnly ? metadataOf(object) : object) as T));
    return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: String(this.#revision) }, items };
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
    await this.#called('POST', resource, object.metadata.namespace, object.metadata.name);
    if (this.#of(resource).has(objectKey(object)))
      throw failure(409, 'AlreadyExists', `${objectKey(object)} already exists`);
    return copy(this.#write(resource, copy(object), undefined) as T);
  }

  async update<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: { readonly subresource?: string | undefined } = {},
  ): Promise<T> {
    await this.#called('PUT', resource, object.metadata.namespace, object.metadata.name, options.subresource);
    const stored = this.#require(resource, object.metadata.namespace ?? '', object.metadata.name ?? '');
    const { resourceVersion } = object.metadata;
    if (resourceVersion !== undefined && resourceVersion !== stored.object.metadata.resourceVersion) {
      throw failure(409, 'Conflict', 'the object has been modified');
    }
    const next =
      options.subresource === 'status' ? { ...stored.object, status: (object as { status?: unknown }).status } : object;
    return copy(this.#write(resource, copy(next), stored) as T);
  }

  async mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    patch: object,
    options: { readonly subresource?: string | undefined } = {},
  ): Promise<T> {
    await this.#called('PATCH', resource, namespace, name, options.subresource);
    const stored = this.#require(resource, namespace, name);
    return copy(this.#write(resource, merged(stored.object, patch) as KubeObject, stored) as T);
  }

  async apply<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: { readonly fieldManager: string },
  ): Promise<T> {
    await this.#called('APPLY', resource, object.metadata.namespace, object.metadata.name);
    const stored = this.#of(resource).get(objectKey(object));
    const before = stored?.applied.get(options.fieldManager);
    const base = stored && before ? (without(stored.object, before, object) as KubeObject) : stored?.object;
    const owners = [...(stored?.object.metadata.ownerReferences ?? []), ...(object.metadata.ownerReferences ?? [])];
    const byUid = new Map(owners.map((owner) => [owner.uid, owner]));
    if ([...byUid.values()].filter((owner) => owner.controller).length > 1) {
      throw failure(
        422,
        'Invalid',
        'metadata.ownerReferences: Invalid value: Only one reference can have Controller set to true.',
      );
    }
    let next = merged(base ?? {}, object) as KubeObject;
    if (byUid.size > 0) next = { ...next, metadata: { ...next.metadata, ownerReferences: [...byUid.values()] } };
    const written = this.#write(resource, copy(next), stored);
    this.#of(resource).get(objectKey(object))!.applied.set(options.fieldManager, copy(object));
    return copy(written as T);
  }

  async delete(
    resource: Resource,
    namespace: string,
    name: string,
    options: { readonly uid?: string | undefined } = {},
  ): Promise<boolean> {
    await this.#called('DELETE', resource, namespace, name);
    const object = this.peek(resource, namespace, name);
    if (!object) return false;
    if (options.uid !== undefined && options.uid !== object.metadata.uid)
      throw failure(409, 'Conflict', 'the UID in the precondition differs');
    this.remove(resource, namespace, name);
    return true;
  }

  request(): Promise<{ readonly status: number; readonly body: string }> {
    return Promise.reject(new Error('a memory cluster has no raw requests'));
  }

  async *watch<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    options: WatchCallOptions,
  ): AsyncIterable<WatchEvent<T>> {
    await this.#called('WATCH', resource, namespace, '');
    let next = this.#changes.findIndex((change) => change.revision > Number(options.resourceVersion));
    if (next === -1) next = this.#changes.length;
    while (!options.signal.aborted) {
      for (; next < this.#changes.length; next++) {
        const change = this.#changes[next]!;
        if (change.resource !== idOf(resource) || !matches(change.object, options.labelSelector)) continue;
        if (namespace !== '' && change.object.metadata.namespace !== namespace) continue;
        yield {
          type: change.type,
          object: copy((options.metadataOnly ? metadataOf(change.object) : change.object) as T),
        };
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#watchers.delete(wake);
          options.signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#watchers.add(wake);
        options.signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  close(): void {
    for (const wake of this.#watchers) wake();
  }

  #of(resource: Resource): Map<string, Stored> {
    const id = idOf(resource);
    const found = this.#objects.get(id) ?? new Map<string, Stored>();
    this.#objects.set(id, found);
    return found;
  }

  #require(resource: Resource, namespace: string, name: string): Stored {
    const stored = this.#of(resource).get(keyOf(resource.namespaced ? namespace : '', name));
    if (!stored) throw failure(404, 'NotFound', `${resource.plural} "${name}" not found`);
    return stored;
  }

  #write(resource: Resource, object: KubeObject, stored: Stored | undefined): KubeObject {
    const old = stored?.object.metadata;
    const metadata: ObjectMeta = {
      ...object.metadata,
      uid: old?.uid ?? `uid-${++this.#uids}`,
      resourceVersion: old?.resourceVersion ?? '',
      creationTimestamp: old?.creationTimestamp ?? '2026-01-01T00:00:00Z',
    };
    const next = { ...object, metadata };
    // As in a real server, a write that changes nothing makes no new version.
    if (stored && deepEqual(next, stored.object)) return stored.object;
    const written = { ...next, metadata: { ...metadata, resourceVersion: String(++this.#revision) } };
    if (stored) stored.object = written;
    else this.#of(resource).set(objectKey(written), { object: written, applied: new Map() });
    this.#announce(resource, stored ? 'MODIFIED' : 'ADDED', written);
    return written;
  }

  #announce(resource: Resource, type: Change['type'], object: KubeObject): void {
    this.#changes.push({ resource: idOf(resource), type, object, revision: this.#revision });
    for (const wake of this.#watchers) wake();
  }

  async #called(verb: string, resource: Resource, namespace = '', name = '', subresource?: string): Promise<void> {
    const call = `${verb} ${resource.plural}/${resource.namespaced ? `${namespace}/` : ''}${name}${subresource === undefined ? '' : `:${subresource}`}`;
    this.calls.push(call);
    await this.intercept(call);
  }
}

/** The error that a server would answer. */
export function failure(code: number, reason: string, message: string): ApiError {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message };
  return new ApiError(message, code, status);
}

function idOf(resource: Resource): string {
  return `${resource.group}/${resource.plural}`;
}

function metadataOf(object: KubeObject): KubeObject {
  return { apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
}

function matches(object: KubeObject, selector: string | undefined): boolean {
  return (selector ?? '').split(',').every((term) => {
    const [label, value] = term.split('=');
    return !label || object.metadata.labels?.[label] === value;
  });
}

function copy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

function merged(base: unknown, over: unknown): unknown {
  if (!isJsonObject(base) || !isJsonObject(over)) return over;
  const out: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete out[key];
    else out[key] = merged(base[key], value);
  }
  return out;
}

/** `object` without what `before` has and `now` has not. */
function without(object: unknown, before: unknown, now: unknown): unknown {
  if (!isJsonObject(object) || !isJsonObject(before)) return object;
  const out: Record<string, unknown> = { ...object };
  for (const [key, value] of Object.entries(before)) {
    const kept = isJsonObject(now) ? now[key] : undefined;
    if (kept === undefined) delete out[key];
    else out[key] = without(object[key], value, kept);
  }
  return out;
}
