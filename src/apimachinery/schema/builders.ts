import type { Json } from '../object.ts';
import type { Schema } from './schema.ts';
import type { Properties, Property, Static, StaticObject, TypedSchema } from './typed.ts';

interface Described {
  readonly description?: string;
}

type Defaulted<O> = O extends { readonly default: Json } ? true : false;
type EnumOf<O, T> = O extends { readonly enum: readonly (infer E)[] } ? E : T;

interface StringOptions extends Described {
  readonly enum?: readonly string[];
  readonly default?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
}

export function string<const O extends StringOptions>(options?: O): TypedSchema<EnumOf<O, string>, Defaulted<O>> {
  return { type: 'string', ...options };
}

interface NumberOptions extends Described {
  readonly default?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A whole number of 32 bits unless `format` says int64. */
export function integer<const O extends NumberOptions & { readonly format?: 'int32' | 'int64' }>(
  options?: O,
): TypedSchema<number, Defaulted<O>> {
  return { type: 'integer', format: 'int32', ...options };
}

export function boolean<const O extends Described & { readonly default?: boolean }>(
  options?: O,
): TypedSchema<boolean, Defaulted<O>> {
  return { type: 'boolean', ...options };
}

/** A number or a string such as `25%`. */
export function intOrString<const O extends Described & { readonly default?: number | string }>(
  options?: O,
): TypedSchema<number | string, Defaulted<O>> {
  return { 'x-kubernetes-int-or-string': true, ...options };
}

/** k8s.io/apimachinery/pkg/api/resource.Quantity, as controller-gen writes it into CustomResourceDefinitions. */
export const QUANTITY_PATTERN = String.raw`^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$`;

export function quantity(options?: Described): TypedSchema<number | string, false> {
  return { 'x-kubernetes-int-or-string': true, pattern: QUANTITY_PATTERN, ...options };
}

/** An RFC 3339 time. */
export function time(options?: Described): TypedSchema<string, false> {
  return { type: 'string', format: 'date-time', ...options };
}

/** Any JSON value, null included, kept as it is. */
export function anyJson(options?: Described): TypedSchema<Json, false> {
  return { 'x-kubernetes-preserve-unknown-fields': true, nullable: true, ...options };
}

interface ArrayOptions extends Described {
  readonly default?: readonly Json[];
  readonly minItems?: number;
  readonly maxItems?: number;
  /** How apply merges the list. `atomic` when left out; `map` needs `keys`. */
  readonly listType?: 'atomic' | 'set' | 'map';
  /** Names of the item's properties that identify it; only for `map`. */
  readonly keys?: readonly string[];
}

export function array<S extends TypedSchema<unknown>, const O extends ArrayOptions>(
  items: S,
  options?: O,
): TypedSchema<readonly Static<S>[], Defaulted<O>> {
  const { listType, keys, ...rest }: ArrayOptions = options ?? {};
  return {
    type: 'array',
    items,
    ...rest,
    'x-kubernetes-list-type': listType ?? 'atomic',
    ...(keys === undefined ? {} : { 'x-kubernetes-list-map-keys': keys }),
  };
}

/** An object used as a map from any string. */
export function map<S extends TypedSchema<unknown>>(
  values: S,
  options?: Described,
): TypedSchema<Readonly<Record<string, Static<S>>>, false> {
  return { type: 'object', additionalProperties: values, ...options };
}

interface ObjectOptions extends Described {
  readonly default?: Json;
  readonly mapType?: 'granular' | 'atomic';
}

/**
 * An object with these properties. A property is optional unless made by `required`; in the static type it is also
 * there when its schema has a default or it is made by `computed`.
 */
export function object<const P extends Properties, const O extends ObjectOptions>(
  properties: P,
  options?: O,
): TypedSchema<StaticObject<P>, Defaulted<O>> {
  const { mapType, ...rest }: ObjectOptions = options ?? {};
  const schemas: Record<string, Schema> = {};
  const requiredNames: string[] = [];
  for (const [name, value] of Object.entries(properties)) {
    if (isProperty(value)) {
      schemas[name] = value.schema;
      if (value.required) requiredNames.push(name);
    } else schemas[name] = value;
  }
  return {
    type: 'object',
    ...rest,
    properties: schemas,
    ...(requiredNames.length === 0 ? {} : { required: requiredNames }),
    ...(mapType === undefined ? {} : { 'x-kubernetes-map-type': mapType }),
  };
}

/** An object schema with further properties. */
export function extend<T, const P extends Properties>(
  base: TypedSchema<T>,
  properties: P,
): TypedSchema<T & StaticObject<P>, false> {
  const more = object(properties);
  const names = [...(base.required ?? []), ...(more.required ?? [])];
  return {
    ...(base as Schema),
    properties: { ...base.properties, ...more.properties },
    ...(names.length === 0 ? {} : { required: names }),
  };
}

/** The property must be given. */
export function required<S extends TypedSchema<unknown>>(schema: S): Property<Static<S>> {
  return { schema: schema as TypedSchema<Static<S>>, required: true };
}

/** The property may be left out, but defaulting that needs more than the schema puts it in. */
export function computed<S extends TypedSchema<unknown>>(schema: S): Property<Static<S>> {
  return { schema: schema as TypedSchema<Static<S>>, required: false };
}

/** The value may also be null. */
export function nullable<T, Present extends boolean>(schema: TypedSchema<T, Present>): TypedSchema<T | null, Present> {
  return { ...(schema as Schema), nullable: true };
}

/** The same schema with another description or default at this place. */
export function described<T, const O extends { readonly description?: string; readonly default?: Json }>(
  schema: TypedSchema<T>,
  options: O,
): TypedSchema<T, Defaulted<O>> {
  return { ...(schema as Schema), ...options };
}

function isProperty(value: TypedSchema<unknown> | Property<unknown>): value is Property<unknown> {
  return 'schema' in value;
}
