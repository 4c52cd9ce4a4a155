import type { Clock } from '../../base/clock.ts';
import { KeyedLock } from '../../base/keyed-lock.ts';
import type { FieldError } from '../../apimachinery/field-error.ts';
import { duplicateValue, invalidValue } from '../../apimachinery/field-error.ts';
import { goQuote } from '../../apimachinery/go-format.ts';
import { deepEqual } from '../../apimachinery/json.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../../apimachinery/meta-validation.ts';
import { checkPathSegment, generatedName } from '../../apimachinery/names.ts';
import type { KubeObject } from '../../apimachinery/object.ts';
import { formatTimestamp } from '../../apimachinery/time.ts';
import {
  isStatusError,
  newAlreadyExists,
  newBadRequest,
  newConflict,
  newDeletedStatus,
  newGenerateNameConflict,
  newInternalError,
  newInvalid,
  newNotFound,
  newRequestTooLarge,
  optimisticLockMessage,
} from '../../apimachinery/status.ts';
import type { Status } from '../../apimachinery/status.ts';
import type { DeleteOptions } from '../options.ts';
import { ClaimTakenError, KeyExistsError, RevisionMismatchError, ValueTooLargeError } from '../storage/storage.ts';
import type { Storage } from '../storage/storage.ts';
import { Stored, encodeObject } from './codec.ts';
import { isImpossibleName, objectKey } from './keys.ts';
import {
  finalizersForDeletion,
  isFinalized,
  markDeleting,
  prepareCreate,
  prepareUpdate,
  withoutIdleTimestamps,
  withoutManagedFields,
} from './object-lifecycle.ts';
import type { UpdateScope } from './object-lifecycle.ts';
import type { Resource } from './resource.ts';

export interface StoreDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  /** Numbers in [0, 1), for generated names. */
  readonly random: () => number;
  /** A fresh RFC 4122 UUID. */
  readonly newUid: () => string;
}

export interface CreateRequest {
  readonly dryRun: boolean;
  /** Validating admission over the object as it would be stored. @throws StatusError */
  admit(object: KubeObject): Promise<void>;
}

export interface UpdateRequest {
  readonly namespace: string;
  readonly name: string;
  readonly scope: UpdateScope;
  readonly dryRun: boolean;
  /** The stored object must have this uid. */
  readonly uid?: string;
  /** Ends the attempts. */
  readonly signal: AbortSignal;
  /** The new state, made of the stored one; asked again when somebody else was faster. @throws StatusError */
  next(old: KubeObject): Promise<KubeObject>;
  admit(object: KubeObject, old: KubeObject): Promise<void>;
}

/** An update that makes the object where there is none. */
export interface ApplyRequest extends UpdateRequest {
  /** The state of an object that is not there yet, with its name; asked again when `next` was asked in between. @throws StatusError */
  born(): Promise<KubeObject>;
  /** Whether the object may be made, asked of it as it would be stored. @throws StatusError */
  admitBorn(object: KubeObject): Promise<void>;
}

export interface DeleteRequest {
  readonly namespace: string;
  readonly name: string;
  readonly options: DeleteOptions;
  /** Ends the attempts. */
  readonly signal: AbortSignal;
  admit(old: KubeObject): Promise<void>;
}

/** What a delete came to: gone, or waiting for finalizers. */
export type Deletion =
  { readonly done: true; readonly status: Omit<Status, 'code'> } | { readonly done: false; readonly object: Stored };

/** k8s.io/apiserver/pkg/registry/generic/registry, maxNameGenerationCreateAttempts. */
const maxNameAttempts = 8;
/** etcd's --max-request-bytes; a store that takes more could never move to etcd. */
const maxStoredBytes = 1.5 * 1024 * 1024;

/**
 * Objects of one resource in the storage: the rules of creating, updating and deleting that hold for every kind.
 * The twin of k8s.io/apiserver/pkg/registry/generic/registry, Store.
 * Who owns which field is found out by the handlers, before admission; here it is kept or, where nothing else changes, left alone.
 */
export class ResourceStore {
  readonly resource: Resource;
  readonly #deps: StoreDeps;
  readonly #losers = new KeyedLock();

  constructor(resource: Resource, deps: StoreDeps) {
    this.resource = resource;
    this.#deps = deps;
  }

  /** @throws StatusError (404) */
  async get(namespace: string, name: string): Promise<Stored> {
    const found = await this.find(namespace, name);
    if (found === undefined) throw newNotFound(this.resource.groupResource, name);
    return found;
  }

  /** @throws StatusError (400) for a name that no object can have (registry/generic/registry, NamespaceKeyFunc) */
  async find(namespace: string, name: string): Promise<Stored | undefined> {
    const faults = checkPathSegment(name);
    if (faults.length > 0) throw newBadRequest(`Name parameter invalid: ${goQuote(name)}: ${faults.join(';')}`);
    if (isImpossibleName(name)) return undefined;
    const item = await this.#deps.storage.get(objectKey(this.resource, namespace, name));
    return item === undefined ? undefined : new Stored(item.key, item.value, item.revision);
  }

  /** `input` is decoded, defaulted and admitted. @throws StatusError (409, 422) */
  async create(input: KubeObject, request: CreateRequest): Promise<Stored> {
    const base = input.metadata.name ? undefined : input.metadata.generateName;
    for (let attempt = 1; ; attempt++) {
      const name = base === undefined ? (input.metadata.name ?? '') : generatedName(base, this.#deps.random);
      const object = this.#newborn(input, name);
      await request.admit(object);
      try {
        return await this.#insert(object, request.dryRun);
      } catch (error) {
        if (base === undefined || !isStatusError(error, 'AlreadyExists')) throw error;
        if (attempt === maxNameAttempts) throw newGenerateNameConflict(this.resource.groupResource, name);
      }
    }
  }

  #newborn(input: KubeObject, name: string): KubeObject {
    const { definition, groupKind } = this.resource;
    const birth = { uid: this.#deps.newUid(), creationTimestamp: formatTimestamp(this.#deps.clock.now()), name };
    const object = prepareCreate(this.resource, input, birth);
    const errors = [
      ...validateObjectMeta(object.metadata, definition.namespaced, definition.strategy.nameRule ?? 'rfc1123Subdomain'),
      ...this.resource.validateSchema(object),
    ];
    // Rules of the kind may rely on what the schema promises.
    const more = errors.length > 0 ? [] : (definition.strategy.validateCreate?.(object) ?? []);
    if (errors.length + more.length > 0) throw newInvalid(groupKind, name, [...errors, ...more]);
    return object;
  }

  async #insert(object: KubeObject, dryRun: boolean, keepsOwners = false): Promise<Stored> {
    const { namespace = '', name = '' } = object.metadata;
    const key = objectKey(this.resource, namespace, name);
    const value = this.#encode(object, keepsOwners);
    if (dryRun) {
      if ((await this.#deps.storage.get(key)) !== undefined) throw await this.#alreadyExists(namespace, name);
      return new Stored(key, value, 0);
    }
    const revision = await this.#commit(object, { key, value, expectedRevision: 0 });
    return new Stored(key, value, revision);
  }

  /**
   * An object may be larger than the storage takes only because of its managedFields, which are the price of comfort: they go first,
   * except in an apply, which is about them (endpoints/handlers, isTooLargeError).
   * @throws StatusError (413) for an object larger than etcd would take, whatever the driver
   */
  #encode(object: KubeObject, keepsOwners: boolean): string {
    const value = encodeObject(this.resource, object);
    if (value.length * 3 <= maxStoredBytes || Buffer.byteLength(value) <= maxStoredBytes) return value;
    if (!keepsOwners && object.metadata.managedFields !== undefined)
      return this.#encode(withoutManagedFields(object), true);
    throw newRequestTooLarge(`an object may take ${maxStoredBytes} bytes`);
  }

  async #alreadyExists(namespace: string, name: string): Promise<Error> {
    const existing = await this.find(namespace, name);
    return newAlreadyExists(this.resource.groupResource, name, existing?.metadata.deletionTimestamp !== undefined);
  }

  /** The stored result; unchanged objects are not written. @throws StatusError (404, 409, 422), the reason of the signal */
  async update(request: UpdateRequest): Promise<Stored> {
    return this.#untilWon(request, async () =>
      this.#attempt(await this.get(request.namespace, request.name), request, false),
    );
  }

  /** Like `update`, but also makes what is not there. @throws StatusError (403, 409, 422), the reason of the signal */
  async apply(request: ApplyRequest): Promise<{ readonly stored: Stored; readonly created: boolean }> {
    return this.#untilWon(request, async () => {
      const old = await this.find(request.namespace, request.name);
      if (old === undefined) return this.#bear(request);
      const stored = await this.#attempt(old, request, true);
      return stored === undefined ? undefined : { stored, created: false };
    });
  }

  /** Repeats an attempt that answers undefined when somebody else was faster; who has lost once stands in line. */
  async #untilWon<T>(
    { namespace, name, signal }: { readonly namespace: string; readonly name: string; readonly signal: AbortSignal },
    attempt: () => Promise<T | undefined>,
  ): Promise<T> {
    const first = await attempt();
    if (first !== undefined) return first;
    const repeat = async (): Promise<T> => {
      for (;;) {
        signal.throwIfAborted();
        const result = await attempt();
        if (result !== undefined) return result;
      }
    };
    return this.#losers.run(objectKey(this.resource, namespace, name), repeat, signal);
  }

  async #bear(request: ApplyRequest): Promise<{ readonly stored: Stored; readonly created: true } | undefined> {
    const asked = await request.born();
    this.#checkNumber(asked.metadata.resourceVersion ?? '0', request.name);
    const object = this.#newborn(asked, request.name);
    await request.admitBorn(object);
    try {
      return { stored: await this.#insert(object, request.dryRun, true), created: true };
    } catch (error) {
      if (isStatusError(error, 'AlreadyExists')) return undefined;
      throw error;
    }
  }

  async #attempt(old: Stored, request: UpdateRequest, keepsOwners: boolean): Promise<Stored | undefined> {
    if (request.uid !== undefined && request.uid !== old.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${request.uid}, UID in object meta: ${old.metadata.uid}`;
      throw newConflict(this.resource.groupResource, request.name, why);
    }
    const asked = await request.next(old.object);
    this.#checkRevision(asked, old.revision, request.name);
    const next = await this.#validUpdate(asked, old.object, request);
    return this.#replace(next, old, request.dryRun, keepsOwners);
  }

  #checkRevision(next: KubeObject, revision: number, name: string): void {
    const { groupResource } = this.resource;
    const asked = next.metadata.resourceVersion ?? '';
    if (asked === '' || asked === '0') {
      const finding = invalidValue('metadata.resourceVersion', 0, 'must be specified for an update');
      throw newInvalid({ group: groupResource.group, kind: groupResource.resource }, name, [finding]);
    }
    this.#checkNumber(asked, name);
    if (asked !== String(revision)) throw newConflict(groupResource, name, optimisticLockMessage);
  }

  #checkNumber(resourceVersion: string, name: string): void {
    if (/^\d{1,20}$/.test(resourceVersion)) return;
    const { group, resource } = this.resource.groupResource;
    const finding = invalidValue('metadata.resourceVersion', resourceVersion, 'must be a decimal number');
    throw newInvalid({ group, kind: resource }, name, [finding]);
  }

  async #validUpdate(asked: KubeObject, old: KubeObject, request: UpdateRequest): Promise<KubeObject> {
    const { definition, groupKind } = this.resource;
    const { strategy } = definition;
    const next = prepareUpdate(this.resource, request.scope, asked, old);
    const errors = this.#updateErrors(next, old, request.scope);
    const more =
      errors.length > 0
        ? undefined
        : request.scope === 'status'
          ? strategy.validateStatusUpdate?.(next, old)
          : strategy.validateUpdate?.(next, old);
    const all = [...errors, ...(more ?? [])];
    if (all.length > 0) throw newInvalid(groupKind, request.name, all);
    const result = withoutIdleTimestamps(next, old);
    await request.admit(result, old);
    return result;
  }

  #updateErrors(next: KubeObject, old: KubeObject, scope: UpdateScope): readonly FieldError[] {
    const { definition } = this.resource;
    if (scope === 'status') return this.resource.validateStatus(next);
    return [
      ...validateObjectMeta(next.metadata, definition.namespaced, definition.strategy.nameRule ?? 'rfc1123Subdomain'),
      // Upstream looks twice, and so has each cause twice: for all kinds, and for custom resources.
      ...validateObjectMetaUpdate(next.metadata, old.metadata),
      ...validateObjectMetaUpdate(next.metadata, old.metadata),
      ...this.resource.validateSchema(next),
    ];
  }

  /** Writes, or deletes what has lost its last finalizer. Undefined: somebody else was faster. */
  async #replace(next: KubeObject, old: Stored, dryRun: boolean, keepsOwners: boolean): Promise<Stored | undefined> {
    if (
      deepEqual(
        { ...next, metadata: { ...next.metadata, resourceVersion: '' } },
        { ...old.object, metadata: { ...old.object.metadata, resourceVersion: '' } },
      )
    ) {
      if (!isFinalized(next, old.object)) return old;
    }
    const value = this.#encode(next, keepsOwners);
    if (dryRun) return new Stored(old.key, value, old.revision);
    const write = {
      key: old.key,
      value: isFinalized(next, old.object) ? undefined : value,
      expectedRevision: old.revision,
    };
    try {
      const revision = await this.#commit(next, write);
      // What is gone keeps the revision it had: kube-apiserver answers the object as it was sent.
      return new Stored(old.key, value, write.value === undefined ? old.revision : revision);
    } catch (error) {
      if (error instanceof RevisionMismatchError) return undefined;
      throw error;
    }
  }

  async #commit(
    object: KubeObject,
    write: { key: string; value: string | undefined; expectedRevision: number },
  ): Promise<number> {
    const claims = write.value === undefined ? [] : (this.resource.definition.strategy.claims?.(object) ?? []);
    try {
      const keys = claims.map((claim) => this.#claimKey(claim.key));
      return (await this.#deps.storage.commit({ ...write, claims: keys })).revision;
    } catch (error) {
      if (error instanceof KeyExistsError)
        throw await this.#alreadyExists(object.metadata.namespace ?? '', object.metadata.name ?? '');
      if (error instanceof ValueTooLargeError) throw newRequestTooLarge('the storage takes no object of that size');
      if (!(error instanceof ClaimTakenError)) throw error;
      const claim = claims.find((candidate) => this.#claimKey(candidate.key) === error.claim);
      if (claim === undefined) throw newInternalError('a claim that was not made is taken');
      throw newInvalid(this.resource.groupKind, object.metadata.name ?? '', [duplicateValue(claim.field, claim.value)]);
    }
  }

  #claimKey(key: string): string {
    return `${this.resource.keyPrefix}${key}`;
  }

  /** @throws StatusError (404, 409), the reason of the signal */
  async delete(request: DeleteRequest): Promise<Deletion> {
    const { options } = request;
    return this.#untilWon(request, async () => {
      const old = await this.get(request.namespace, request.name);
      this.#checkPreconditions(old, options);
      await request.admit(old.object);
      const finalizers = finalizersForDeletion(old.metadata, options);
      return finalizers.length > 0 ? this.#postpone(old, finalizers, options) : this.#remove(old, options);
    });
  }

  #checkPreconditions(old: Stored, options: DeleteOptions): void {
    const { uid, resourceVersion } = options.preconditions ?? {};
    const { groupKind } = this.resource;
    const kind = { group: groupKind.group, resource: groupKind.kind };
    const name = old.metadata.name ?? '';
    if (uid !== undefined && uid !== old.metadata.uid) {
      const why = `the UID in the precondition (${uid}) does not match the UID in record (${old.metadata.uid}). The object might have been deleted and then recreated`;
      throw newConflict(kind, name, why);
    }
    if (resourceVersion !== undefined && resourceVersion !== String(old.revision)) {
      const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${old.revision}). The object might have been modified`;
      throw newConflict(kind, name, why);
    }
  }

  async #postpone(old: Stored, finalizers: readonly string[], options: DeleteOptions): Promise<Deletion | undefined> {
    const next = markDeleting(old.object, finalizers, formatTimestamp(this.#deps.clock.now()));
    const object = await this.#replaceRaw(next, old, options.dryRun);
    return object === undefined ? undefined : { done: false, object };
  }

  async #replaceRaw(next: KubeObject, old: Stored, dryRun: boolean): Promise<Stored | undefined> {
    const value = this.#encode(next, false);
    if (value === old.value) return old;
    if (dryRun) return new Stored(old.key, value, old.revision);
    try {
      return new Stored(
        old.key,
        value,
        await this.#commit(next, { key: old.key, value, expectedRevision: old.revision }),
      );
    } catch (error) {
      if (error instanceof RevisionMismatchError) return undefined;
      throw error;
    }
  }

  async #remove(old: Stored, options: DeleteOptions): Promise<Deletion | undefined> {
    try {
      if (!options.dryRun)
        await this.#commit(old.object, { key: old.key, value: undefined, expectedRevision: old.revision });
    } catch (error) {
      if (error instanceof RevisionMismatchError) return undefined;
      throw error;
    }
    const { name = '', uid = '' } = old.metadata;
    return { done: true, status: newDeletedStatus(this.resource.groupResource, name, uid) };
  }
}
