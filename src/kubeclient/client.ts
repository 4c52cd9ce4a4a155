import type { KubeList, KubeObject } from '../apimachinery/object.ts';

/** Addresses a resource on the wire. Group "" is the core group. */
export interface Resource<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Carries the static type only; never set. */
  readonly _type?: T;
}

/**
 * REST verbs against one cluster. Every variable that holds one says which: `adminClient`, `tenantClient`, `kamajiClient`.
 * Every call throws ApiError for a non-2xx answer (`find` answers undefined for 404) and honours `signal`.
 */
export interface KubeClient {
  get<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string, options?: CallOptions): Promise<T>;
  find<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    options?: FindOptions,
  ): Promise<T | undefined>;
  /** Empty namespace: all namespaces. Follows `continue`. */
  list<T extends KubeObject>(resource: Resource<T>, namespace: string, options?: ListCallOptions): Promise<KubeList<T>>;
  create<T extends KubeObject>(resource: Resource<T>, object: T, options?: CallOptions): Promise<T>;
  update<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options?: CallOptions & { readonly subresource?: string | undefined },
  ): Promise<T>;
  mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    patch: object,
    options?: CallOptions & { readonly subresource?: string | undefined },
  ): Promise<T>;
  /** Server-side apply with force under `fieldManager`. */
  apply<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: CallOptions & { readonly fieldManager: string; readonly subresource?: string | undefined },
  ): Promise<T>;
  /** Answers false when there was nothing to delete. */
  delete(
    resource: Resource,
    namespace: string,
    name: string,
    options?: CallOptions & {
      readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
      readonly uid?: string | undefined;
    },
  ): Promise<boolean>;
  /** Raw call for what has no verb of its own (TokenReview and the like, /readyz). `body` is sent as JSON. */
  request(
    method: string,
    path: string,
    options?: CallOptions & {
      readonly body?: unknown;
      readonly contentType?: string | undefined;
      readonly accept?: string | undefined;
    },
  ): Promise<{ readonly status: number; readonly body: string }>;
  /** Yields watch events until the server or `signal` ends it. @throws ApiError (410: start over). */
  watch<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    options: WatchCallOptions,
  ): AsyncIterable<WatchEvent<T>>;
  close(): void;
}

export interface FindOptions extends CallOptions {
  /** The server may answer from its cache, which is a moment behind its storage. */
  readonly fromCache?: boolean | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** For the whole call with its retries and pages. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

export interface ListCallOptions extends CallOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects a page, default 500; all pages are read whatever it is. */
  readonly limit?: number | undefined;
  /** Answers a state not older than this, in one page; "0" is whatever the server's cache has. */
  readonly resourceVersion?: string | undefined;
  /** Asks for apiVersion, kind and metadata alone; everything else of the answered objects is absent. */
  readonly metadataOnly?: boolean | undefined;
}

export interface WatchCallOptions {
  readonly signal: AbortSignal;
  readonly resourceVersion: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** When the server ends the watch; without it the server chooses, 30 to 60 minutes. */
  readonly timeoutSeconds?: number | undefined;
  readonly metadataOnly?: boolean | undefined;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };
