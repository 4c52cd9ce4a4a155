import type { KubeObject } from '../object.ts';
import type { Schema } from './schema.ts';
import type { TypedSchema } from './typed.ts';

/** What the schema of a kind consists of, besides what all objects have. */
export interface KindSchemas<T extends KubeObject> {
  readonly description: string;
  readonly spec: TypedSchema<T extends { readonly spec: infer S } ? S : unknown>;
  readonly status?: TypedSchema<T extends { readonly status?: infer S } ? Exclude<S, undefined> : unknown>;
}

/**
 * The schema of a whole object. `spec` is required. `metadata` is described as an object without properties: its content
 * is the engine's own, so it is neither pruned nor validated by the schema.
 */
export function kind<T extends KubeObject>(parts: KindSchemas<T>): TypedSchema<T, false> {
  return {
    type: 'object',
    description: parts.description,
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of the schema that the object follows.' },
      kind: { type: 'string', description: 'Name of the resource that the object represents.' },
      metadata: { type: 'object', description: 'Standard object metadata.' },
      spec: parts.spec satisfies Schema,
      ...(parts.status === undefined ? {} : { status: parts.status satisfies Schema }),
    },
    required: ['spec'],
  };
}
