import type { FieldElement } from '../fieldpath/path-element.ts';
import { fieldElement } from '../fieldpath/path-element.ts';
import type { Json } from '../object.ts';
import type { Schema } from '../schema/schema.ts';
import { objectMetaSchema } from './object-meta-schema.ts';

/**
 * What merging needs of a schema: which values are leaves, and what names the items of a list. Made from a structural schema as
 * kube-apiserver makes it from the OpenAPI document of a custom resource (k8s.io/kube-openapi/pkg/schemaconv, openapi.go), piece by
 * piece as it is asked for, and once for each schema object, so that shared parts stay shared.
 */
export interface Atom {
  /** The kinds of value that may stand here. None: anything is refused. */
  readonly map?: MapType;
  readonly scalar?: Scalar;
  readonly list?: ListType;
}

export type Scalar = 'numeric' | 'string' | 'boolean' | 'untyped';

export interface FieldType {
  readonly element: FieldElement;
  readonly atom: Atom;
  readonly default: Json | undefined;
}

export interface ListType {
  /** A leaf as a whole, else items are found by `keys` or, without keys, by their value. */
  readonly atomic: boolean;
  readonly keys: readonly string[];
  readonly item: Atom;
  /** Items are known to be well-formed and are not looked at. */
  readonly trusted: boolean;
}

export interface MapType {
  /** A leaf as a whole. */
  readonly atomic: boolean;
  /** Whether it has no fields and accepts just anything: stored sets are then left as they are. */
  readonly deduced: boolean;
  field(name: string): FieldType | undefined;
  /** The type of what is no field; undefined: refused. */
  readonly rest: Atom | undefined;
}

/** The type of a whole object of a kind. */
export function objectAtom(schema: Schema): Atom {
  return { map: new SchemaMap(schema, schema['x-kubernetes-preserve-unknown-fields'] === true, true) };
}

/** Any value, maps merged key by key, lists as a whole. */
const deduced: Atom = {
  scalar: 'untyped',
  get list() {
    return { atomic: true, keys: [], item: untyped, trusted: false };
  },
  get map() {
    return deducedMap;
  },
};

const deducedMap: MapType = { atomic: false, deduced: true, field: () => undefined, rest: deduced };

/** Any value as a leaf. */
const untyped: Atom = {
  scalar: 'untyped',
  get list() {
    return { atomic: true, keys: [], item: untyped, trusted: false };
  },
  get map() {
    return { atomic: true, deduced: false, field: () => undefined, rest: untyped };
  },
};

const known = { strict: new WeakMap<Schema, Atom>(), preserving: new WeakMap<Schema, Atom>() };

function atomOf(schema: Schema, inherited: boolean): Atom {
  const preserving = inherited || schema['x-kubernetes-preserve-unknown-fields'] === true;
  const cache = preserving ? known.preserving : known.strict;
  let atom = cache.get(schema);
  if (atom === undefined) {
    atom = newAtom(schema, preserving);
    cache.set(schema, atom);
  }
  return atom;
}

function newAtom(schema: Schema, preserving: boolean): Atom {
  switch (schema.type) {
    case 'object':
      return { map: new SchemaMap(schema, preserving, false) };
    case 'array':
      return { list: listType(schema, preserving) };
    case 'string':
      return { scalar: schema.format === undefined || schema.format === 'byte' ? 'string' : 'untyped' };
    case 'boolean':
      return { scalar: 'boolean' };
    case 'integer':
    case 'number':
      return { scalar: 'numeric' };
    default:
      return { scalar: 'untyped', list: listType(schema, preserving), map: new SchemaMap(schema, preserving, false) };
  }
}

function listType(schema: Schema, preserving: boolean): ListType {
  const type = schema['x-kubernetes-list-type'] ?? 'atomic';
  let item: Atom | undefined;
  return {
    atomic: type === 'atomic',
    keys: type === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : [],
    get item() {
      return (item ??= schema.items === undefined ? untyped : atomOf(schema.items, preserving));
    },
    trusted: schema === objectMetaSchema.properties.managedFields,
  };
}

const metaElement = fieldElement('metadata');
const typeMeta: Readonly<Record<string, FieldType>> = {
  apiVersion: { element: fieldElement('apiVersion'), atom: { scalar: 'string' }, default: undefined },
  kind: { element: fieldElement('kind'), atom: { scalar: 'string' }, default: undefined },
};

class SchemaMap implements MapType {
  readonly atomic: boolean;
  readonly #schema: Schema;
  readonly #preserving: boolean;
  readonly #isObject: boolean;
  readonly #fields = new Map<string, FieldType>();
  #rest: { readonly atom: Atom | undefined } | undefined;

  /** `isRoot`: apiVersion, kind and metadata are those of every object. */
  constructor(schema: Schema, preserving: boolean, isRoot: boolean) {
    this.#schema = schema;
    this.#preserving = preserving;
    this.#isObject = isRoot || schema['x-kubernetes-embedded-resource'] === true;
    this.atomic = schema['x-kubernetes-map-type'] === 'atomic';
  }

  field(name: string): FieldType | undefined {
    const found = this.#fields.get(name);
    if (found !== undefined) return found;
    const made = this.#newField(name);
    if (made !== undefined) this.#fields.set(name, made);
    return made;
  }

  #newField(name: string): FieldType | undefined {
    if (this.#isObject) {
      if (name === 'metadata')
        return { element: metaElement, atom: atomOf(objectMetaSchema, false), default: undefined };
      if (name === 'apiVersion' || name === 'kind') return typeMeta[name];
    }
    const { properties } = this.#schema;
    const schema = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (schema === undefined) return undefined;
    return { element: fieldElement(name), atom: atomOf(schema, this.#preserving), default: schema.default };
  }

  get rest(): Atom | undefined {
    return (this.#rest ??= { atom: this.#newRest() }).atom;
  }

  #newRest(): Atom | undefined {
    const { additionalProperties } = this.#schema;
    if (additionalProperties === undefined) return this.#preserving || !this.#hasFields ? deduced : undefined;
    if (typeof additionalProperties === 'object') return atomOf(additionalProperties, this.#preserving);
    return additionalProperties ? deduced : undefined;
  }

  get #hasFields(): boolean {
    return this.#isObject || Object.keys(this.#schema.properties ?? {}).length > 0;
  }

  get deduced(): boolean {
    const { rest } = this;
    return !this.#hasFields && rest !== undefined && (rest === deduced || rest.scalar === 'untyped');
  }
}
