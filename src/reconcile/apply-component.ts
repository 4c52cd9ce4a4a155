import { createHash } from 'node:crypto';
import type { Condition, KubeObject, OwnerReference } from '../apimachinery/object.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { mapLimited } from '../base/limiter.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { isConflict, isInvalid, isNotFound } from '../kubeclient/api-error.ts';
import type { KubeClient, Resource } from '../kubeclient/client.ts';
import type { Informer } from '../kubeclient/informer.ts';
import { apiVersionOf } from '../kubeclient/paths.ts';
import { compareResourceVersions } from '../kubeclient/resource-version.ts';
import { resourceFor } from '../kubeclient/resources.ts';
import { objectKey } from '../kubeclient/store.ts';
import type { Component } from './component.ts';
import { isCovered } from './covered.ts';
import { TerminalError } from './terminal-error.ts';

export interface ComponentApplierOptions {
  /** Of the cluster that the components are for. */
  readonly client: KubeClient;
  readonly fieldManager: string;
  /** Label that carries the component's name on every object of it. */
  readonly componentLabel: string;
  /**
   * Caches of what is applied, one a resource. An object in one is applied again as soon as it was changed or deleted by somebody else;
   * one without a cache after `trustMs`.
   */
  readonly caches?: readonly Informer[] | undefined;
  /** Resources without a cache in which to look once for what an earlier process applied and nobody wants any more. */
  readonly pruneResources?: readonly Resource[] | undefined;
  /** Default 300,000. */
  readonly trustMs?: number | undefined;
  /** Objects of one component sent at once. Default 8. */
  readonly concurrency?: number | undefined;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly clock?: Clock | undefined;
}

/** On whose behalf components are applied. */
export interface ApplyScope {
  /** As stored, with its uid. */
  readonly owner: KubeObject;
  /** The owner lives in the cluster that is applied to, so that its objects can refer to it and go with it. */
  readonly sameCluster: boolean;
  /** Put on every object; together with the component's label they tell whose it is. */
  readonly labels: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface AppliedComponent {
  readonly component: string;
  /** What the component's `ready` says; without one, True once applied. */
  readonly condition: Condition;
  /** In the order of `desired`. Objects that need neither be sent nor judged may have their metadata alone. */
  readonly live: readonly KubeObject[];
  /** Objects sent and deleted this time; both 0 when all was as it should be. */
  readonly applied: number;
  readonly pruned: number;
}

/** What we know of an object that we applied. */
interface Known {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  /** The last one that wanted it. */
  component: string;
  /** Undefined: an attempt was made, or an earlier process made it. */
  applied?: { readonly uid: string; readonly hash: string; resourceVersion: string; atMs: number };
}

type Inventory = Map<string, Known>;

/** How long a cache may take to show what we just created. */
const CACHE_LAG_MS = 60_000;

/** What others need is applied before those that need it; kinds of one rank at once. */
const RANKS: Readonly<Record<string, number>> = {
  Namespace: 0,
  CustomResourceDefinition: 0,
  Deployment: 2,
  DaemonSet: 2,
  StatefulSet: 2,
  Job: 2,
  APIService: 3,
  MutatingWebhookConfiguration: 3,
  ValidatingWebhookConfiguration: 3,
};

/**
 * Makes a cluster look as components say, by server-side apply, with as few requests as that takes: an object is sent when what it
 * should be changed, or when what it is may have. One for each cluster; components of one owner may be applied at once, the same one may not.
 */
export class ComponentApplier {
  readonly #options: ComponentApplierOptions;
  readonly #clock: Clock;
  readonly #caches: ReadonlyMap<string, Informer>;
  readonly #inventories = new Map<string, Inventory>();
  readonly #taking = new Map<string, Promise<Inventory>>();
  readonly #count: (component: string, result: 'applied' | 'unchanged' | 'pruned') => void;

  constructor(options: ComponentApplierOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#caches = new Map((options.caches ?? []).map((cache) => [resourceId(cache.resource), cache]));
    for (const cache of this.#caches.values()) {
      cache.onChange({ delete: (object) => this.#wasDeleted(cache.resource, object) });
    }
    const total = options.metrics?.counter('component_objects_total', 'Objects of components by what was done.', [
      'component',
      'result',
    ]);
    this.#count = (component, result) => total?.inc({ component, result });
  }

  /**
   * Applies what the component wants and deletes what it no longer wants.
   * @throws TerminalError when an object belongs to somebody else; ApiError, ConnectionError
   */
  async apply<I>(component: Component<I>, input: I, scope: ApplyScope): Promise<AppliedComponent> {
    const inventory = await this.#inventory(scope);
    const desired = component.desired(input).map((object) => this.#complete(object, component.name, scope));
    const live = new Map<KubeObject, KubeObject>();
    let applied = 0;
    for (const group of inOrder(desired)) {
      await mapLimited(group, this.#options.concurrency ?? 8, async (object) => {
        const outcome = await this.#ensure(object, component, inventory, scope);
        live.set(object, outcome.live);
        if (outcome.sent) applied++;
      });
    }
    const pruned = await this.#prune(component.name, desired, inventory, scope);
    const inDesiredOrder = desired.map((object) => live.get(object)!);
    return {
      component: component.name,
      condition: component.ready?.(inDesiredOrder, input) ?? APPLIED,
      live: inDesiredOrder,
      applied,
      pruned,
    };
  }

  /** Drops what is remembered of an owner that is gone. Its objects are not touched. */
  forget(ownerUid: string): void {
    this.#inventories.delete(ownerUid);
  }

  /** Brings one object up to date, if it is not. */
  async #ensure(
    object: KubeObject,
    component: Component<never>,
    inventory: Inventory,
    scope: ApplyScope,
  ): Promise<{ readonly live: KubeObject; readonly sent: boolean }> {
    const resource = resourceFor(object);
    const { namespace = '', name = '' } = object.metadata;
    const id = inventoryId(resource, object);
    const hash = createHash('sha256').update(JSON.stringify(object)).digest('base64url');
    const cached = this.#caches.get(resourceId(resource))?.get(namespace, name);
    if (cached) this.#refuseForeign(cached, scope);
    const known = inventory.get(id);
    if (known?.applied?.hash === hash && this.#isUnchanged(object, known.applied, resource, cached)) {
      this.#count(component.name, 'unchanged');
      return { live: cached ?? (await this.#look(object, known.applied, component, resource, scope)), sent: false };
    }
    const entry: Known = known ?? { resource, namespace, name, component: component.name };
    if (!known) inventory.set(id, entry);
    entry.component = component.name;
    const live = await this.#send(resource, object, scope);
    this.#count(component.name, 'applied');
    entry.applied = {
      uid: live.metadata.uid ?? '',
      hash,
      resourceVersion: live.metadata.resourceVersion ?? '',
      atMs: this.#clock.monotonic(),
    };
    return { live, sent: true };
  }

  /** Whether the object in the cluster can still be trusted to be as we applied it. */
  #isUnchanged(
    object: KubeObject,
    applied: NonNullable<Known['applied']>,
    resource: Resource,
    cached: KubeObject | undefined,
  ): boolean {
    const ageMs = this.#clock.monotonic() - applied.atMs;
    const cache = this.#caches.get(resourceId(resource));
    if (!cache) return ageMs < (this.#options.trustMs ?? 300_000);
    // Not there yet: had it been deleted, `#wasDeleted` would know.
    if (!cached) return ageMs < CACHE_LAG_MS;
    if (cached.metadata.uid !== applied.uid || cached.metadata.deletionTimestamp !== undefined) return false;
    const order = compareResourceVersions(cached.metadata.resourceVersion, applied.resourceVersion);
    if (order === undefined) return false;
    // Older: the cache lags behind our own write.
    if (order <= 0) return true;
    // Newer: fine when only others' parts changed, of which we must see everything to tell.
    if (cache.metadataOnly || !isCovered(object, cached)) return false;
    applied.resourceVersion = cached.metadata.resourceVersion!;
    return true;
  }

  async #send(resource: Resource, object: KubeObject, scope: ApplyScope): Promise<KubeObject> {
    const { client, fieldManager } = this.#options;
    try {
      return await client.apply(resource, object, { fieldManager, signal: scope.signal });
    } catch (error) {
      // An object has at most one controller. The server refuses ours when there is one already.
      if (isInvalid(error) && (error as Error).message.includes('Only one reference can have Controller set to true')) {
        const live = await client.find(resource, object.metadata.namespace ?? '', object.metadata.name ?? '', {
          signal: scope.signal,
        });
        if (live) this.#refuseForeign(live, scope);
      }
      throw error;
    }
  }

  /** @throws TerminalError for another's object; Error for one that goes away by itself. */
  #refuseForeign(live: KubeObject, scope: ApplyScope): void {
    const { owner } = scope;
    if (!scope.sameCluster) return;
    const controller = live.metadata.ownerReferences?.find((reference) => reference.controller);
    if (!controller || controller.uid === owner.metadata.uid) return;
    const what = `${live.kind} ${objectKey(live)}`;
    if (controller.kind === owner.kind && controller.name === owner.metadata.name) {
      throw new Error(
        `${what} still belongs to a deleted ${owner.kind} of the same name: waiting for it to be removed`,
      );
    }
    throw new TerminalError(
      'ObjectOwnedByAnother',
      `${what} belongs to ${controller.kind} ${controller.name}, so it is not taken over: remove it, or choose another name`,
    );
  }

  /** The live object of what was not sent and is in no cache: read only where the component judges it. */
  async #look(
    object: KubeObject,
    applied: NonNullable<Known['applied']>,
    component: Component<never>,
    resource: Resource,
    scope: ApplyScope,
  ): Promise<KubeObject> {
    const { namespace = '', name = '' } = object.metadata;
    const { uid, resourceVersion } = applied;
    const identity = { ...object, metadata: { ...object.metadata, uid, resourceVersion } };
    if (!component.ready) return { apiVersion: identity.apiVersion, kind: identity.kind, metadata: identity.metadata };
    return (await this.#options.client.find(resource, namespace, name, { signal: scope.signal })) ?? identity;
  }

  async #prune(
    component: string,
    desired: readonly KubeObject[],
    inventory: Inventory,
    scope: ApplyScope,
  ): Promise<number> {
    const wanted = new Set(desired.map((object) => inventoryId(resourceFor(object), object)));
    const unwanted = [...inventory].filter(([id, known]) => known.component === component && !wanted.has(id));
    const results = await mapLimited(unwanted, this.#options.concurrency ?? 8, async ([id, known]) => {
      const deleted = await this.#delete(known, scope);
      inventory.delete(id);
      if (deleted) this.#count(component, 'pruned');
      return deleted;
    });
    return results.filter(Boolean).length;
  }

  async #delete(known: Known, scope: ApplyScope): Promise<boolean> {
    const { resource, namespace, name } = known;
    const { client, log } = this.#options;
    // Only the very object that we made: one of the same name may be somebody else's by now.
    const uid = known.applied?.uid ?? (await this.#ownUid(known, scope));
    if (uid === undefined) return false;
    try {
      const deleted = await client.delete(resource, namespace, name, {
        uid,
        propagationPolicy: 'Background',
        signal: scope.signal,
      });
      if (deleted)
        log.info('removed what is no longer wanted', {
          kind: resource.kind,
          namespace,
          name,
          component: known.component,
        });
      return deleted;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  /** The uid of the live object, if it carries our labels. */
  async #ownUid(known: Known, scope: ApplyScope): Promise<string | undefined> {
    const live = await this.#options.client.find(known.resource, known.namespace, known.name, { signal: scope.signal });
    return live && this.#isOurs(live, known.component, scope) ? live.metadata.uid : undefined;
  }

  #isOurs(object: KubeObject, component: string, scope: ApplyScope): boolean {
    const labels = object.metadata.labels ?? {};
    if (labels[this.#options.componentLabel] !== component) return false;
    if (Object.entries(scope.labels).some(([label, value]) => labels[label] !== value)) return false;
    const controller = object.metadata.ownerReferences?.find((reference) => reference.controller);
    return !scope.sameCluster || controller === undefined || controller.uid === scope.owner.metadata.uid;
  }

  /** What exists for an owner: what this process applied, and at first what earlier ones left. */
  async #inventory(scope: ApplyScope): Promise<Inventory> {
    const { uid } = scope.owner.metadata;
    if (uid === undefined) throw new RangeError(`${scope.owner.kind} ${objectKey(scope.owner)} has no uid`);
    const known = this.#inventories.get(uid);
    if (known) return known;
    const taking = this.#taking.get(uid) ?? this.#takeInventory(uid, scope);
    this.#taking.set(uid, taking);
    try {
      return await taking;
    } finally {
      this.#taking.delete(uid);
    }
  }

  async #takeInventory(uid: string, scope: ApplyScope): Promise<Inventory> {
    const inventory: Inventory = new Map();
    for (const cache of this.#caches.values()) {
      for (const object of cache.list()) this.#enlist(cache.resource, object, inventory, scope);
    }
    const labelSelector = Object.entries(scope.labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(',');
    const uncached = (this.#options.pruneResources ?? []).filter((resource) => !this.#caches.has(resourceId(resource)));
    await mapLimited(uncached, this.#options.concurrency ?? 8, async (resource) => {
      for (const object of await this.#listLabelled(resource, labelSelector, scope))
        this.#enlist(resource, object, inventory, scope);
    });
    this.#inventories.set(uid, inventory);
    return inventory;
  }

  async #listLabelled(resource: Resource, labelSelector: string, scope: ApplyScope): Promise<readonly KubeObject[]> {
    try {
      const list = await this.#options.client.list(resource, '', {
        labelSelector,
        metadataOnly: true,
        signal: scope.signal,
      });
      return list.items;
    } catch (error) {
      // A kind that this cluster does not serve has no objects.
      if (isNotFound(error)) return [];
      throw error;
    }
  }

  #enlist(resource: Resource, object: KubeObject, inventory: Inventory, scope: ApplyScope): void {
    const component = object.metadata.labels?.[this.#options.componentLabel];
    if (component === undefined || !this.#isOurs(object, component, scope)) return;
    const { namespace = '', name = '' } = object.metadata;
    inventory.set(inventoryId(resource, object), { resource, namespace, name, component });
  }

  #wasDeleted(resource: Resource, object: KubeObject): void {
    const id = inventoryId(resource, object);
    const uids = object.metadata.ownerReferences?.map((reference) => reference.uid) ?? [];
    const inventories = uids.length > 0 ? uids.map((uid) => this.#inventories.get(uid)) : this.#inventories.values();
    for (const inventory of inventories) {
      const known = inventory?.get(id);
      if (known?.applied?.uid === object.metadata.uid) delete known?.applied;
    }
  }

  #complete(object: KubeObject, component: string, scope: ApplyScope): KubeObject {
    const { metadata } = object;
    const { owner } = scope;
    // A namespaced object can own only in its namespace.
    const canOwn = scope.sameCluster && (!owner.metadata.namespace || owner.metadata.namespace === metadata.namespace);
    const labels = { ...metadata.labels, ...scope.labels, [this.#options.componentLabel]: component };
    return {
      ...object,
      metadata: {
        ...metadata,
        labels,
        ...(canOwn ? { ownerReferences: [...(metadata.ownerReferences ?? []), ownerReferenceTo(owner)] } : {}),
      },
    };
  }
}

const APPLIED: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Applied',
  message: 'All objects exist as described',
};

function ownerReferenceTo(owner: KubeObject): OwnerReference {
  const { name = '', uid = '' } = owner.metadata;
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function inOrder(objects: readonly KubeObject[]): readonly (readonly KubeObject[])[] {
  const groups = new Map<number, KubeObject[]>();
  for (const object of objects) {
    const rank = RANKS[object.kind] ?? 1;
    const group = groups.get(rank);
    if (group) group.push(object);
    else groups.set(rank, [object]);
  }
  return [...groups].toSorted(([a], [b]) => a - b).map(([, group]) => group);
}

function resourceId(resource: Resource): string {
  return `${apiVersionOf(resource)}/${resource.plural}`;
}

function inventoryId(resource: Resource, object: KubeObject): string {
  return `${resourceId(resource)}/${objectKey(object)}`;
}
