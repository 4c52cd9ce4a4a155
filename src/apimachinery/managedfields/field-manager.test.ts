import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import type { Schema } from '../schema/schema.ts';
import { StatusError } from '../status.ts';
import { createFieldManager } from './field-manager.ts';

/** A small language: who does what to one object, and who owns what then. */

const schema: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        a: { type: 'string' },
        b: { type: 'integer' },
        ports: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              port: { type: 'integer' },
              protocol: { type: 'string', default: 'TCP' },
              name: { type: 'string' },
            },
          },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
        },
        words: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        atomic: { type: 'array', items: { type: 'string' } },
        free: { 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: { type: 'object', properties: { phase: { type: 'string' } } },
  },
};
const facts = { schema, group: 'g.io', version: 'v1', kind: 'Thing' };
const main = createFieldManager({ ...facts, subresource: '', resetFields: [['status']] });
const status = createFieldManager({ ...facts, subresource: 'status', resetFields: [['metadata'], ['spec']] });

type Spec = Readonly<Record<string, unknown>>;
const time = (second: number): string => `2020-01-01T00:00:${String(second).padStart(2, '0')}Z`;

function thing(spec: Spec, metadata: object = {}): KubeObject {
  return { apiVersion: 'g.io/v1', kind: 'Thing', metadata: { name: 'x', ...metadata }, spec } as KubeObject;
}

class World {
  live: KubeObject | undefined;
  #second = 0;

  apply(manager: string, spec: Spec, force = false, metadata: object = {}): this {
    const live = this.live ?? { apiVersion: 'g.io/v1', kind: 'Thing', metadata: {} };
    return this.#store(main.apply(live, thing(spec, metadata), manager, force, time(this.#second++)));
  }

  update(manager: string, change: (live: KubeObject) => object): this {
    const next = { ...(this.live ?? thing({})), ...change(this.live ?? thing({})) } as KubeObject;
    return this.#store(main.update(this.live, next, manager, time(this.#second++)));
  }

  spec(manager: string, spec: Spec): this {
    return this.update(manager, () => ({ spec }));
  }

  record(manager: string, managedFields: unknown): this {
    return this.update(manager, (live) => ({ metadata: { ...live.metadata, managedFields } }));
  }

  #store(object: KubeObject): this {
    this.live = { ...object, metadata: { ...object.metadata, uid: 'u' } };
    return this;
  }

  get owners(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      (this.live?.metadata.managedFields ?? []).map(({ manager, operation, fieldsV1 }) => [
        `${manager} ${operation}`,
        fieldsV1?.['f:spec'],
      ]),
    );
  }

  get content(): unknown {
    return (this.live as unknown as { spec: unknown }).spec;
  }
}

function failure(act: () => unknown): StatusError {
  try {
    act();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('server-side apply', () => {
  it('creates, and owns what it says', () => {
    const world = new World().apply('alice', { a: 'x', words: ['w'] });
    expect(world.owners).toEqual({ 'alice Apply': { 'f:a': {}, 'f:words': { 'v:"w"': {} } } });
    expect(world.live?.metadata.managedFields?.[0]).toMatchObject({
      apiVersion: 'g.io/v1',
      time: time(0),
      fieldsType: 'FieldsV1',
    });
  });

  it('removes what its manager no longer says and nobody else owns', () => {
    const world = new World().apply('alice', { a: 'x', b: 1, words: ['v', 'w'] }).apply('bob', { words: ['w'] });
    world.apply('alice', { a: 'x' });
    expect(world.content).toEqual({ a: 'x', words: ['w'] });
  });

  it('refuses to change what others own, with a cause for each field', () => {
    const world = new World().spec('editor', { a: 'x', b: 1 });
    const error = failure(() => world.apply('alice', { a: 'y', b: 2 }));
    expect(error.status).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(error.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "editor" using g.io/v1:\n- .spec.a\n- .spec.b',
    );
    expect(error.status.details?.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "editor" using g.io/v1', field: '.spec.a' },
      { reason: 'FieldManagerConflict', message: 'conflict with "editor" using g.io/v1', field: '.spec.b' },
    ]);
  });

  it('takes fields by force, and shares what is the same', () => {
    const world = new World().apply('alice', { a: 'x', b: 1 }).apply('bob', { a: 'y', b: 1 }, true);
    expect(world.owners).toEqual({ 'alice Apply': { 'f:b': {} }, 'bob Apply': { 'f:a': {}, 'f:b': {} } });
  });

  it('names items of lists by keys, with defaults for those that are missing', () => {
    const world = new World().apply('alice', { ports: [{ port: 80, name: 'a' }] });
    world.apply('bob', {
      ports: [
        { port: 80, protocol: 'UDP' },
        { port: 80, protocol: 'TCP' },
      ],
    });
    expect(world.content).toEqual({
      ports: [
        { port: 80, protocol: 'UDP' },
        { port: 80, protocol: 'TCP', name: 'a' },
      ],
    });
    expect(failure(() => world.apply('carol', { ports: [{ port: 80, name: 'b' }] })).message).toBe(
      'Apply failed with 1 conflict: conflict with "alice": .spec.ports[port=80,protocol="TCP"].name',
    );
  });

  it('has atomic lists as one field, and free objects key by key', () => {
    const world = new World()
      .apply('alice', { atomic: ['a'], free: { x: 1 } })
      .apply('bob', { free: { y: { z: [1] } } });
    expect(world.content).toEqual({ atomic: ['a'], free: { x: 1, y: { z: [1] } } });
    expect(failure(() => world.apply('bob', { atomic: ['a', 'b'] })).status.details?.causes?.[0]?.field).toBe(
      '.spec.atomic',
    );
  });

  it('gives what was there before the first apply to a manager of its own', () => {
    const world = new World();
    world.live = thing({ a: 'x' }, { uid: 'u' });
    world.apply('alice', { b: 1 });
    expect(Object.keys(world.owners)).toEqual(['alice Apply', 'before-first-apply Update']);
  });

  it('changes no time where it changes nothing', () => {
    const world = new World().apply('alice', { a: 'x' }).apply('alice', { a: 'x' });
    expect(world.live?.metadata.managedFields?.[0]?.time).toBe(time(0));
  });

  it('refuses what does not fit the schema, names items twice or brings a record', () => {
    const world = new World().apply('alice', { a: 'x' });
    const typed = 'failed to create typed patch object (/x; g.io/v1, Kind=Thing): ';
    expect(failure(() => world.apply('bob', { zzz: 1 })).status).toMatchObject({
      code: 400,
      message: `${typed}.spec.zzz: field not declared in schema`,
    });
    expect(failure(() => world.apply('bob', { a: 5 })).message).toBe(
      `${typed}.spec.a: expected string, got &value.valueUnstructured{Value:5}`,
    );
    expect(failure(() => world.apply('bob', { words: ['a', 'a'] })).message).toBe(
      `${typed}.spec.words: duplicate entries for key [="a"]`,
    );
    expect(failure(() => world.apply('bob', {}, false, { managedFields: [] })).status).toMatchObject({
      code: 400,
      message: 'metadata.managedFields must be nil',
    });
    const other = { ...thing({}), apiVersion: 'apps/v1' };
    expect(failure(() => main.apply(world.live!, other, 'bob', false, time(9))).message).toBe(
      'invalid object type: apps/v1, Kind=Thing',
    );
  });

  it('lets kubectl take over what it applied on the client side before', () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const last = JSON.stringify(thing({ a: 'x', b: 1 }));
    const world = new World().update('kubectl-client-side-apply', () => ({
      ...thing({ a: 'x', b: 1 }, { annotations: { [annotation]: last } }),
    }));
    world.apply('kubectl', { a: 'y' });
    expect(world.owners).toMatchObject({ 'kubectl Apply': { 'f:a': {} } });
    expect(world.live?.metadata.annotations?.[annotation]).toBe(
      '{"apiVersion":"g.io/v1","kind":"Thing","metadata":{"name":"x"},"spec":{"a":"y"}}\n',
    );
    const other = new World().update('x', () => ({ ...thing({ a: 'x' }, { annotations: { [annotation]: last } }) }));
    expect(failure(() => other.apply('somebody', { a: 'y' })).code).toBe(409);
  });
});

describe('ownership by update', () => {
  it('goes to who changes or adds, and is lost by who had it', () => {
    const world = new World().apply('alice', { a: 'x', b: 1 }).spec('editor', { a: 'y', b: 1 });
    expect(world.owners).toEqual({ 'alice Apply': { 'f:b': {} }, 'editor Update': { 'f:a': {} } });
  });

  it('is kept for clients that send no record or one that cannot be read, and forgotten on demand', () => {
    const world = new World().apply('alice', { a: 'x' });
    const { owners } = world;
    expect(world.record('editor', undefined).owners).toEqual(owners);
    expect(world.record('editor', [{ operation: 'Delete' }]).owners).toEqual(owners);
    expect(world.record('editor', 'nonsense').owners).toEqual(owners);
    expect(world.record('editor', [{ manager: 5 }]).owners).toEqual(owners);
    expect(world.record('editor', [{}]).live?.metadata.managedFields).toBeUndefined();
    expect(world.spec('editor', { a: 'z' }).live?.metadata.managedFields).toBeUndefined();
  });

  it('puts the oldest updaters together beyond ten', () => {
    const world = new World();
    const free: Record<string, number> = {};
    for (let at = 0; at < 13; at++) {
      free[`k${at}`] = at;
      world.spec(`updater-${String(at).padStart(2, '0')}`, { free: { ...free } });
    }
    const managers = (world.live?.metadata.managedFields ?? []).map(({ manager }) => manager);
    expect(managers).toHaveLength(10);
    expect(managers[0]).toBe('ancient-changes');
    expect(world.owners['ancient-changes Update']).toMatchObject({ 'f:free': { 'f:k0': {}, 'f:k3': {} } });
  });

  it('leaves out what the endpoint resets', () => {
    const created = main.update(
      undefined,
      { ...thing({ a: 'x' }), status: { phase: 'p' } } as KubeObject,
      'm',
      time(0),
    );
    expect(created.metadata.managedFields?.[0]?.fieldsV1).toEqual({ 'f:spec': { '.': {}, 'f:a': {} } });
    // As stored: without the status that was reset.
    const live = thing({ a: 'x' }, { ...created.metadata, uid: 'u' });
    const next = { ...live, spec: { a: 'z' }, status: { phase: 'q' } } as KubeObject;
    const after = status.update(live, next, 'm', time(1));
    expect(after.metadata.managedFields?.[1]).toMatchObject({
      subresource: 'status',
      fieldsV1: { 'f:status': { '.': {}, 'f:phase': {} } },
    });
  });

  it('gives up the record of an object that does not fit the schema, and does not fail', () => {
    const world = new World().apply('alice', { a: 'x' }).spec('editor', { undeclared: 1 });
    expect(world.live?.metadata.managedFields).toBeUndefined();
    expect(world.content).toEqual({ undeclared: 1 });
  });

  it('allows items named twice, which then belong to one owner as one', () => {
    const world = new World().spec('editor', { words: ['a', 'a', 'b'] });
    expect(world.owners).toEqual({ 'editor Update': { '.': {}, 'f:words': { '.': {}, 'v:"a"': {}, 'v:"b"': {} } } });
  });

  it('never changes its arguments', () => {
    const freeze = <T>(value: T): T => {
      if (typeof value === 'object' && value !== null)
        Object.values(Object.freeze(value)).forEach((item) => freeze(item));
      return value;
    };
    const live = freeze(main.apply(thing({}, {}), thing({ a: 'x', ports: [{ port: 1 }] }), 'alice', false, time(0)));
    const next = freeze({ ...live, spec: { a: 'y', ports: [{ port: 2 }], free: { __proto__x: 1 } } });
    const updated = freeze(main.update(live, next, 'editor', time(1)));
    expect(() => main.apply(updated, freeze(thing({ b: 1 })), 'alice', true, time(2))).not.toThrow();
  });
});
