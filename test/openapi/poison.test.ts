/**
 * That the judges can find something: documents made bad on purpose. One of these would take `/openapi/v2` from every client of
 * the cluster.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { openApiV2 } from '../../src/apiserver/openapi/documents.ts';
import type { ResourceDefinition } from '../../src/apiserver/registry/definition.ts';
import type { Schema } from '../../src/apimachinery/schema/schema.ts';
import { danglingReferences, schemaFindings } from './structure.ts';
import { definitions, documentFolder, openWorld, verdictsOf } from './world.ts';

const world = await openWorld();
const folder = await documentFolder();
afterAll(async () => {
  await folder.remove();
  await world.close();
});
const merged = await folder.write('merged.json', (await world.cluster.ask('/openapi/v2')).text);
const own = (await world.own.ask('/openapi/v2')).text;
const name = 'io.kamaji.v1alpha1.DataStore';

interface Document {
  readonly definitions: Record<string, { properties: Record<string, Record<string, unknown>> }>;
}

/** Our document with another schema for `spec.driver`. */
function poisoned(driver: object): Document {
  const document = JSON.parse(own) as Document;
  document.definitions[name]!.properties['spec'] = { type: 'object', properties: { driver } };
  return document;
}

const poisons = {
  'an unknown key': { type: 'string', kamaji: true },
  'a key of JSON schema that OpenAPI v2 has not': { type: 'string', const: 'etcd' },
  'a list without items': { type: 'array' },
  'a reference that leads nowhere': { $ref: '#/definitions/io.kamaji.nowhere' },
  'a type that there is not': { type: 'text' },
};
const files = [await folder.write('good', own)];
for (const [title, driver] of Object.entries(poisons))
  files.push(await folder.write(title, JSON.stringify(poisoned(driver))));
const verdicts = new Map((await verdictsOf('merge', merged, ...files)).map(({ name: file, error }) => [file, error]));

it('the document as it is passes the aggregator’s own steps', () => {
  expect(verdicts.get('good')).toBe('');
});

describe('the judge refuses', () => {
  it.each(Object.keys(poisons))('%s', (title) => {
    expect(verdicts.get(title)).toMatch(/./);
  });
});

describe('the structural checks find', () => {
  it.each([
    ['an unknown key', { type: 'string', kamaji: true }],
    ['a value without a type', { description: 'x' }],
    ['a list without items', { type: 'array' }],
    ['an object that is also a map', { type: 'object', properties: {}, additionalProperties: { type: 'string' } }],
    ['nullable', { type: 'string', nullable: true }],
    ['anyOf', { anyOf: [{ type: 'string' }, { type: 'integer' }] }],
    ['a default', { type: 'string', default: 'etcd' }],
    ['a required field that is not there', { type: 'object', properties: {}, required: ['x'] }],
    ['two types', { type: ['string', 'null'] }],
  ])('%s', (_title, driver) => {
    expect(schemaFindings({ version: 'v2', schemas: poisoned(driver).definitions }, [name])).not.toEqual([]);
  });

  it('a reference that leads nowhere', () => {
    expect(danglingReferences(poisoned({ $ref: '#/definitions/io.kamaji.nowhere' }))).toEqual([
      '#/definitions/io.kamaji.nowhere',
    ]);
  });
});

it('our own server does not start with a definition that would poison the cluster', () => {
  const definition = definitions.find(({ kind }) => kind === 'DataStore')!;
  const schema = { ...definition.schema, contentEncoding: 'base64' } as Schema;
  const bad: ResourceDefinition = { ...definition, schema };
  expect(() => openApiV2([bad], '1')).toThrow('contentEncoding');
});
