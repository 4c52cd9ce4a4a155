import type { Schema } from './schema.ts';

declare const STATIC: unique symbol;
declare const PRESENT: unique symbol;

/**
 * A schema that carries the static type of the values it describes. The type parameters exist for the compiler only:
 * at run time the value is the plain Schema.
 * `Present` is true for a schema with a default, whose property is therefore there in every object that went through
 * defaulting.
 */
export interface TypedSchema<T, Present extends boolean = boolean> extends Schema {
  readonly [STATIC]?: T;
  readonly [PRESENT]?: Present;
}

/** The static type of values that satisfy a schema and were defaulted by it: `type X = Static<typeof xSchema>`. */
export type Static<S> = S extends { readonly [STATIC]?: infer T } ? Exclude<T, undefined> : never;

/** A property whose presence is not told by its schema; made by `required` and `computed`. */
export interface Property<T> {
  readonly schema: TypedSchema<T>;
  /** Whether the schema of the parent lists it as required. */
  readonly required: boolean;
}

export type Properties = Readonly<Record<string, TypedSchema<unknown> | Property<unknown>>>;

type StaticOf<P> = P extends Property<infer T> ? T : Static<P>;
type IsPresent<P> =
  P extends Property<unknown>
    ? true
    : P extends { readonly [PRESENT]?: infer Present }
      ? [Exclude<Present, undefined>] extends [true]
        ? true
        : false
      : false;

/** The static type of an object with these properties. */
export type StaticObject<P extends Properties> = {
  readonly [K in keyof P as IsPresent<P[K]> extends true ? K : never]: StaticOf<P[K]>;
} & {
  readonly [K in keyof P as IsPresent<P[K]> extends true ? never : K]?: StaticOf<P[K]>;
} extends infer O
  ? { readonly [K in keyof O]: O[K] }
  : never;
