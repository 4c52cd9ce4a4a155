import type { Json, JsonObject } from '../../src/apimachinery/object.ts';
import type { Schema } from '../../src/apimachinery/schema/schema.ts';
import type { ResourceDefinition } from '../../src/apiserver/registry/definition.ts';

/** Tried in order where a pattern asks for more than any text. */
const texts = ['a', '1', '1m', 'v1.36.3', '10.0.0.1', '10.0.0.0/8', 'a:1', 'ab', '/a'];

/** An object of the kind with a value in every field that its schema knows, and one element in every list and map. */
export function fullObject(definition: ResourceDefinition): JsonObject {
  const { group, version, kind, schema, namespaced } = definition;
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...properties } = schema.properties ?? {};
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name: 'full', labels: { a: 'b' }, ...(namespaced ? { namespace: 'default' } : {}) },
    ...(fill({ ...schema, properties }, kind) as JsonObject),
  };
}

/** @throws Error for a pattern that none of the texts has */
function fill(schema: Schema, at: string): Json {
  if (schema.enum !== undefined) return schema.enum[0]!;
  if (schema['x-kubernetes-int-or-string'] === true) return '1';
  switch (schema.type) {
    case 'object':
      return fillObject(schema, at);
    case 'array':
      return schema.items === undefined ? [] : [fill(schema.items, `${at}[]`)];
    case 'integer':
    case 'number':
      return Math.min(Math.max(1, schema.minimum ?? 1), schema.maximum ?? 1);
    case 'boolean':
      return true;
    default:
      return text(schema, at);
  }
}

function fillObject(schema: Schema, at: string): JsonObject {
  const { properties = {}, additionalProperties } = schema;
  return {
    ...Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, fill(child, `${at}.${name}`)])),
    ...(typeof additionalProperties === 'object' ? { key: fill(additionalProperties, `${at}.*`) } : {}),
  };
}

function text(schema: Schema, at: string): string {
  if (schema.format === 'date-time') return '2026-01-01T00:00:00Z';
  if (schema.format === 'byte') return 'YQ==';
  const pattern = new RegExp(schema.pattern ?? '');
  const found = texts.find((candidate) => pattern.test(candidate) && candidate.length >= (schema.minLength ?? 0));
  if (found === undefined) throw new Error(`${at}: no text fits ${schema.pattern ?? 'its least length'}`);
  return found;
}
