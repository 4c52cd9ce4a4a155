import { isJsonObject } from '../../apimachinery/json.ts';
import type { GroupVersionKind } from '../../apimachinery/object.ts';
import type { OpenApiSchema } from '../../apimachinery/schema/openapi.ts';
import { toOpenApiV2, toOpenApiV3 } from '../../apimachinery/schema/openapi.ts';
import type { Schema } from '../../apimachinery/schema/schema.ts';
import type { ConnectSubresource, ResourceDefinition } from '../registry/definition.ts';
import { metaDescriptions, metaSchemas } from './meta-definitions.generated.ts';
import { answerName, requestName, scaleName, schemaName } from './operations.ts';

/** The schemas that operations refer to, by name, in both versions of OpenAPI. */
export type Schemas = Readonly<Record<string, object>>;

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const listMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';
const conventions = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';
const coreKinds: Readonly<Record<string, GroupVersionKind>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.Status': { group: '', version: 'v1', kind: 'Status' },
  [scaleName]: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
};
const deleteOptions = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
const typeMeta = {
  apiVersion: { type: 'string', description: metaDescriptions.apiVersion },
  kind: { type: 'string', description: metaDescriptions.kind },
} as const;

interface Dialect {
  convert(schema: Schema): OpenApiSchema;
  /** A property that is another schema. */
  reference(name: string, description: string): object;
  item(name: string): object;
  shared(schema: object): object;
}

const v3: Dialect = {
  convert: toOpenApiV3,
  reference: (name, description) => ({ description, allOf: [{ $ref: `#/components/schemas/${name}` }] }),
  item: (name) => ({ $ref: `#/components/schemas/${name}` }),
  shared: (schema) => schema,
};

const v2: Dialect = {
  convert: (schema) => withoutDefaults(toOpenApiV2(schema)) as OpenApiSchema,
  reference: (name, description) => ({ description, $ref: `#/definitions/${name}` }),
  item: (name) => ({ $ref: `#/definitions/${name}` }),
  shared: (schema) => downgraded(schema) as object,
};

export function schemasV3(definitions: readonly ResourceDefinition[]): Schemas {
  return build(definitions, v3);
}

/** @throws Error when a schema holds what the converter in front of `/openapi/v2` refuses: that would break it for the whole cluster */
export function schemasV2(definitions: readonly ResourceDefinition[]): Schemas {
  const schemas = build(definitions, v2);
  for (const [name, schema] of Object.entries(schemas)) checkV2(schema, name);
  return schemas;
}

function build(definitions: readonly ResourceDefinition[], dialect: Dialect): Schemas {
  const schemas: Record<string, object> = {};
  const usesScale = definitions.some((definition) => definition.subresources.scale !== undefined);
  const own = definitions.map(({ group, version }) => ({ group, version, kind: 'DeleteOptions' }));
  for (const [name, schema] of Object.entries(metaSchemas)) {
    if (usesScale || !name.startsWith(scaleName)) schemas[name] = withKinds(dialect.shared(schema), kindsOf(name, own));
  }
  for (const definition of definitions) {
    const { group, version, kind } = definition;
    schemas[schemaName(definition)] = kindSchema(definition, dialect);
    schemas[schemaName(definition, `${kind}List`)] = {
      description: `${kind}List is a list of ${kind}`,
      type: 'object',
      required: ['items'],
      properties: {
        ...typeMeta,
        items: {
          type: 'array',
          description: `List of ${definition.plural}. More info: ${conventions}`,
          items: dialect.item(schemaName(definition)),
        },
        metadata: dialect.reference(listMeta, metaDescriptions.listMeta),
      },
      'x-kubernetes-group-version-kind': [{ group, version, kind: `${kind}List` }],
    };
    for (const connect of definition.subresources.connect ?? []) {
      schemas[answerName(definition, connect)] = answerSchema(connect, dialect);
      if (connect.requestSchema !== undefined)
        schemas[requestName(definition, connect)] = dialect.convert(connect.requestSchema);
    }
  }
  return schemas;
}

/** Which kinds a shared schema stands for. Deletions are taken in the core group's words and in those of ours. */
function kindsOf(name: string, deletions: readonly GroupVersionKind[]): readonly GroupVersionKind[] {
  if (name === deleteOptions) {
    const all = [{ group: '', version: 'v1', kind: 'DeleteOptions' }, ...deletions];
    return [...new Map(all.map((kind) => [`${kind.group}/${kind.version}`, kind])).values()];
  }
  const kind = coreKinds[name];
  return kind === undefined ? [] : [kind];
}

function withKinds(schema: object, kinds: readonly GroupVersionKind[]): object {
  return kinds.length === 0 ? schema : { ...schema, 'x-kubernetes-group-version-kind': kinds };
}

function answerSchema(connect: ConnectSubresource, dialect: Dialect): object {
  const own = dialect.convert(connect.responseSchema) as { readonly properties?: object };
  const { group, version, kind } = connect.responseKind;
  return withKinds({ ...own, properties: { ...typeMeta, ...own.properties } }, [{ group, version, kind }]);
}

function kindSchema(definition: ResourceDefinition, dialect: Dialect): object {
  const { group, version, kind } = definition;
  const own = dialect.convert(definition.schema) as { readonly properties?: object };
  return {
    ...own,
    type: 'object',
    properties: {
      ...own.properties,
      ...typeMeta,
      metadata: dialect.reference(objectMeta, metaDescriptions.objectMeta),
    },
    'x-kubernetes-group-version-kind': [{ group, version, kind }],
  };
}

/**
 * A shared schema as kube-apiserver writes it into OpenAPI v2, letter for letter: a definition that differs from the cluster's
 * own would get a second name there.
 */
function downgraded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(downgraded);
  if (!isJsonObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === 'default') continue;
    if (key === '$ref' && typeof item === 'string')
      result[key] = item.replace('#/components/schemas/', '#/definitions/');
    else if (key === 'allOf' && Array.isArray(item) && item.length === 1) Object.assign(result, downgraded(item[0]));
    else result[key] = downgraded(item);
  }
  return result;
}

/** kube-apiserver takes defaults out of OpenAPI v2 (kube-openapi, builder PruneDefaults): old clients would apply them wrongly. */
function withoutDefaults(schema: unknown): unknown {
  if (!isJsonObject(schema)) return schema;
  const { default: _default, properties, items, additionalProperties, ...rest } = schema;
  return {
    ...rest,
    ...(isJsonObject(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, child]) => [key, withoutDefaults(child)]),
          ),
        }
      : {}),
    ...(items === undefined ? {} : { items: withoutDefaults(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: withoutDefaults(additionalProperties) }),
  };
}

const v2Keys: ReadonlySet<string> = new Set([
  '$ref',
  'additionalProperties',
  'description',
  'enum',
  'format',
  'items',
  'maxItems',
  'maxLength',
  'maximum',
  'minItems',
  'minLength',
  'minimum',
  'pattern',
  'properties',
  'required',
  'type',
  'uniqueItems',
]);

function checkV2(schema: unknown, at: string): void {
  if (!isJsonObject(schema)) throw new Error(`OpenAPI v2: ${at} is no schema`);
  for (const key of Object.keys(schema)) {
    if (!v2Keys.has(key) && !key.startsWith('x-')) throw new Error(`OpenAPI v2: ${at} holds ${JSON.stringify(key)}`);
  }
  const { properties, additionalProperties, items, type } = schema;
  if (properties !== undefined && additionalProperties !== undefined) {
    throw new Error(`OpenAPI v2: ${at} has properties and additionalProperties`);
  }
  if (type === 'array' && items === undefined) throw new Error(`OpenAPI v2: ${at} is an array without items`);
  for (const [key, child] of Object.entries(properties ?? {})) checkV2(child, `${at}.${key}`);
  if (items !== undefined) checkV2(items, `${at}[]`);
  if (isJsonObject(additionalProperties)) checkV2(additionalProperties, `${at}.*`);
}
