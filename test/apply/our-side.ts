import type { FieldManager } from '../../src/apimachinery/managedfields/field-manager.ts';
import { createFieldManager } from '../../src/apimachinery/managedfields/field-manager.ts';
import { toParentFields, toScaleFields } from '../../src/apimachinery/managedfields/scale-ownership.ts';
import { valueAt, withValueAt } from '../../src/apimachinery/json.ts';
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../../src/apimachinery/object.ts';
import { StatusError } from '../../src/apimachinery/status.ts';
import { scaleSchema } from '../../src/apiserver/registry/field-managers.ts';
import type { Subject } from './subjects.ts';
import type { Result, Write } from './writes.ts';

const uid = '11111111-2222-3333-4444-555555555555';

/** Runs writes through our own field managers, with the least of a server around them. */
export class OurSide {
  readonly #subject: Subject;
  readonly #apiVersion: string;
  readonly #managers: Readonly<Record<string, FieldManager>>;

  constructor(subject: Subject) {
    const { schema, group, version, kind, hasStatus } = subject;
    this.#subject = subject;
    this.#apiVersion = `${group}/${version}`;
    const facts = { schema, group, version, kind };
    const scale = { schema: scaleSchema, group: 'autoscaling', version: 'v1', kind: 'Scale' };
    this.#managers = {
      '': createFieldManager({ ...facts, subresource: '', resetFields: hasStatus ? [['status']] : [] }),
      status: createFieldManager({ ...facts, subresource: 'status', resetFields: [['metadata'], ['spec']] }),
      scale: createFieldManager({ ...scale, subresource: 'scale', resetFields: [] }),
    };
  }

  /** The result of a write, and what is then stored. */
  run(write: Write, live: KubeObject | undefined, createdAt: string): { result: Result; live: KubeObject | undefined } {
    if (write.verb === 'delete') return { result: {}, live: undefined };
    try {
      const after = this.#write(write, live);
      const result = { object: after as unknown as JsonObject };
      return { result, live: write.refused ? live : store(write, live, after, createdAt) };
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return { result: { status: error.status }, live };
    }
  }

  #write(write: Write, live: KubeObject | undefined): KubeObject {
    const { manager, now, force, object } = write;
    const fieldManager = this.#managers[write.subresource]!;
    if (write.verb === 'scale') return this.#scale(write, live!);
    if (write.verb === 'update') return fieldManager.update(live, object!, manager, now);
    const empty = { apiVersion: this.#apiVersion, kind: this.#subject.kind, metadata: {} };
    return fieldManager.apply(live ?? empty, object!, manager, force, now);
  }

  #scale(write: Write, live: KubeObject): KubeObject {
    const path = this.#subject.replicas!;
    const paths = { [this.#apiVersion]: path };
    const parentEntries = live.metadata.managedFields ?? [];
    const before = scaleOf(live, valueAt(live, path) as number, toScaleFields(parentEntries, paths));
    const next = scaleOf(live, write.replicas!);
    const after = this.#managers['scale']!.update(before, next, write.manager, write.now);
    const entries = toParentFields(parentEntries, after.metadata.managedFields ?? [], this.#apiVersion, paths);
    const { managedFields: _before, ...metadata } = live.metadata;
    const parent = { ...live, metadata: entries.length === 0 ? metadata : { ...metadata, managedFields: entries } };
    return withValueAt(parent, path, write.replicas!) as unknown as KubeObject;
  }
}

/** As Go writes a Scale: no replicas for zero. */
function scaleOf(parent: KubeObject, replicas: number, managedFields?: readonly ManagedFieldsEntry[]): KubeObject {
  const { name, namespace, uid: parentUid } = parent.metadata;
  const metadata = {
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(parentUid === undefined ? {} : { uid: parentUid }),
    ...(managedFields === undefined || managedFields.length === 0 ? {} : { managedFields }),
  };
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata };
  return { ...scale, spec: replicas === 0 ? {} : { replicas }, status: { replicas: 0 } } as KubeObject;
}

/** What the strategy of a custom resource lets through to storage. */
function store(write: Write, live: KubeObject | undefined, after: KubeObject, createdAt: string): KubeObject {
  if (live === undefined) {
    const { status: _status, ...created } = after as KubeObject & { readonly status?: unknown };
    return { ...created, metadata: { ...created.metadata, uid, creationTimestamp: createdAt } };
  }
  const isStatus = write.subresource === 'status';
  const { status: _kept, ...keep } = (isStatus ? live : after) as KubeObject & { readonly status?: unknown };
  const { status } = (isStatus ? after : live) as KubeObject & { readonly status?: unknown };
  const { managedFields: _own, ...metadata } = keep.metadata;
  const { managedFields } = after.metadata;
  return {
    ...keep,
    metadata: {
      ...metadata,
      ...(managedFields === undefined ? {} : { managedFields }),
      ...(live.metadata.uid === undefined ? {} : { uid: live.metadata.uid }),
      ...(live.metadata.creationTimestamp === undefined ? {} : { creationTimestamp: live.metadata.creationTimestamp }),
    },
    ...(status === undefined ? {} : { status }),
  };
}
