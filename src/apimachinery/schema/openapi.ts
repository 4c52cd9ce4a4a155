import type { Schema } from './schema.ts';

/** A schema as it stands in an OpenAPI document. */
export interface OpenApiSchema {
  readonly [keyword: string]: unknown;
}

/**
 * The schema for an OpenAPI v3 document. The dialects are nearly the same: a number or string is said with `anyOf`.
 * Parts that are shared in the source are shared in the answer.
 * k8s.io/apiextensions-apiserver/pkg/apiserver/schema (Unfold, ToKubeOpenAPI).
 */
export function toOpenApiV3(schema: Schema): OpenApiSchema {
  return v3.convert(schema);
}

/**
 * The schema for an OpenAPI v2 document, which has to leave out what the strict converter in front of `/openapi/v2` or kubectl
 * does not understand: `anyOf`, `nullable`, contents of nullable and of free-form values, arrays without items.
 * k8s.io/apiextensions-apiserver/pkg/controller/openapi/v2 (ToStructuralOpenAPIV2).
 */
export function toOpenApiV2(schema: Schema): OpenApiSchema {
  return v2.convert(schema);
}

/** Converts every schema object once. */
class Converter {
  readonly #done = new WeakMap<Schema, OpenApiSchema>();
  readonly #own: (schema: Schema) => Readonly<Record<string, unknown>>;

  /** `own` answers the keywords of one schema, its parts unconverted. */
  constructor(own: (schema: Schema) => Readonly<Record<string, unknown>>) {
    this.#own = own;
  }

  convert(schema: Schema): OpenApiSchema {
    const known = this.#done.get(schema);
    if (known !== undefined) return known;
    const { properties, items, additionalProperties, ...rest } = this.#own(schema) as Schema;
    const result: Record<string, unknown> = { ...rest };
    if (properties !== undefined) {
      result['properties'] = Object.fromEntries(
        Object.entries(properties).map(([name, property]) => [name, this.convert(property)]),
      );
    }
    if (items !== undefined) result['items'] = this.convert(items);
    if (additionalProperties !== undefined) {
      result['additionalProperties'] =
        typeof additionalProperties === 'object' ? this.convert(additionalProperties) : additionalProperties;
    }
    this.#done.set(schema, result);
    return result;
  }
}

const v3 = new Converter((schema) =>
  schema['x-kubernetes-int-or-string'] === true
    ? { ...schema, anyOf: [{ type: 'integer' }, { type: 'string' }] }
    : { ...schema },
);

const v2 = new Converter((schema) => {
  const { nullable, ...result }: Schema = schema;
  const freeForm = schema['x-kubernetes-preserve-unknown-fields'] === true;
  let { type, items, properties, required } = result;
  if (nullable === true || freeForm) {
    items = undefined;
    properties = undefined;
  }
  if (nullable === true || (freeForm && type === 'object') || (type === 'array' && items === undefined))
    type = undefined;
  const nullables = new Set(
    Object.entries(properties ?? {}).flatMap(([name, property]) => (property.nullable === true ? [name] : [])),
  );
  required = required?.filter((name) => !nullables.has(name));
  if (required?.length === 0) required = undefined;
  return withoutUndefined({ ...result, type, items, properties, required });
});

function withoutUndefined(object: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
