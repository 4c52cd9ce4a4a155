import type { Schema } from '../../src/apimachinery/schema/schema.ts';
import type { ResourceDefinition } from '../../src/apiserver/registry/definition.ts';
import { PRODUCT_GROUP, RICH_PREFIX } from './subjects.ts';

/** Kinds whose schema has one of everything that a structural schema can have, and no rule beyond it. */

const string: Schema = { type: 'string' };
const integer: Schema = { type: 'integer' };

const port: Schema = {
  type: 'object',
  required: ['port'],
  properties: {
    port: { type: 'integer', format: 'int32', minimum: 1, maximum: 65535 },
    protocol: { type: 'string', default: 'TCP' },
    name: string,
  },
};

const spec: Schema = {
  type: 'object',
  properties: {
    text: string,
    size: { type: 'integer', format: 'int32', minimum: 1, maximum: 100 },
    int: integer,
    big: { type: 'integer', format: 'int64' },
    float: { type: 'number' },
    double: { type: 'number', format: 'double' },
    ratio: { type: 'number', minimum: -1.5, maximum: 1.5 },
    flag: { type: 'boolean' },
    color: { type: 'string', default: 'red', enum: ['red', 'green', 'blue'] },
    level: { type: 'integer', enum: [1, 2, 3] },
    replicas: { type: 'integer', format: 'int32', default: 1 },
    short: { type: 'string', minLength: 2, maxLength: 5 },
    code: { type: 'string', pattern: '^[a-z]+-[0-9]{2}$' },
    when: { type: 'string', format: 'date-time' },
    day: { type: 'string', format: 'date' },
    address: { type: 'string', format: 'ipv4' },
    address6: { type: 'string', format: 'ipv6' },
    host: { type: 'string', format: 'hostname' },
    net: { type: 'string', format: 'cidr' },
    mail: { type: 'string', format: 'email' },
    link: { type: 'string', format: 'uri' },
    id: { type: 'string', format: 'uuid' },
    bytes: { type: 'string', format: 'byte' },
    wait: { type: 'string', format: 'duration' },
    mac: { type: 'string', format: 'mac' },
    secret: { type: 'string', format: 'password' },
    amount: { 'x-kubernetes-int-or-string': true },
    maybe: { type: 'string', nullable: true },
    maybeDefault: { type: 'string', nullable: true, default: 'd' },
    maybeObject: { type: 'object', nullable: true, properties: { a: string } },
    maybeList: { type: 'array', nullable: true, items: string },
    list: { type: 'array', items: string, maxItems: 4 },
    some: { type: 'array', items: integer, minItems: 1 },
    set: { type: 'array', items: string, 'x-kubernetes-list-type': 'set' },
    numbers: { type: 'array', items: integer, 'x-kubernetes-list-type': 'set' },
    atomic: { type: 'array', 'x-kubernetes-list-type': 'atomic', items: { type: 'object', properties: { a: string } } },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      items: port,
    },
    parts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: string,
          count: { type: 'integer', format: 'int32', default: 1 },
          tags: { type: 'array', items: string, 'x-kubernetes-list-type': 'set' },
        },
      },
    },
    objects: { type: 'array', items: { type: 'object', properties: { a: string, b: integer } } },
    matrix: { type: 'array', items: { type: 'array', items: integer } },
    map: { type: 'object', additionalProperties: string },
    numberMap: { type: 'object', additionalProperties: integer },
    objectMap: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['a'],
        properties: { a: string, b: { ...integer, default: 7 } },
      },
    },
    atomicMap: { type: 'object', additionalProperties: string, 'x-kubernetes-map-type': 'atomic' },
    nested: {
      type: 'object',
      required: ['must'],
      properties: { must: string, may: string, deep: { type: 'object', properties: { x: string, y: integer } } },
    },
    defaulted: {
      type: 'object',
      default: { a: 'one' },
      properties: { a: string, b: { type: 'string', default: 'two' } },
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    partlyFree: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: string, inner: { type: 'object', properties: { a: string } } },
    },
    anything: { 'x-kubernetes-preserve-unknown-fields': true },
    template: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    },
  },
};

const status: Schema = {
  type: 'object',
  properties: {
    replicas: { type: 'integer', format: 'int32' },
    selector: string,
    phase: { type: 'string', default: 'Pending', enum: ['Pending', 'Running'] },
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type', 'status'],
        properties: { type: string, status: string, message: string },
      },
    },
  },
};

export const sampleDefinition: ResourceDefinition = {
  group: RICH_PREFIX + PRODUCT_GROUP,
  version: 'v1',
  kind: 'Sample',
  plural: 'samples',
  singular: 'sample',
  shortNames: ['sm', 'smp'],
  categories: ['parity', 'rich'],
  namespaced: true,
  schema: { type: 'object', description: 'One of everything.', required: ['spec'], properties: { spec, status } },
  strategy: {},
  printerColumns: [
    { name: 'Text', type: 'string', description: 'The text.', jsonPath: '.spec.text' },
    { name: 'Size', type: 'integer', format: 'int32', description: 'The size.', jsonPath: '.spec.size' },
    { name: 'Float', type: 'number', description: 'The float.', jsonPath: '.spec.float', priority: 1 },
    { name: 'Flag', type: 'boolean', description: 'The flag.', jsonPath: '.spec.flag' },
    { name: 'When', type: 'date', description: 'The moment.', jsonPath: '.spec.when' },
    { name: 'Set', type: 'string', description: 'The set.', jsonPath: '.spec.set' },
    { name: 'First', type: 'string', description: 'First of the set.', jsonPath: '.spec.set[0]' },
    { name: 'Parts', type: 'string', description: 'Names of parts.', jsonPath: '.spec.parts[*].name' },
    { name: 'Nested', type: 'string', description: 'An object.', jsonPath: '.spec.nested' },
    {
      name: 'Ready',
      type: 'string',
      description: 'Whether it is.',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    },
    { name: 'Age', type: 'date', description: 'Time since creation.', jsonPath: '.metadata.creationTimestamp' },
  ],
  subresources: {
    status: true,
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: '.status.selector',
    },
  },
};

/** Of the cluster, without any subresource or column. */
export const plainDefinition: ResourceDefinition = {
  group: RICH_PREFIX + PRODUCT_GROUP,
  version: 'v1',
  kind: 'Plain',
  plural: 'plains',
  singular: 'plain',
  shortNames: [],
  categories: [],
  namespaced: false,
  schema: {
    type: 'object',
    properties: {
      note: string,
      spec: { type: 'object', properties: { a: string } },
      status: { type: 'object', properties: { b: string } },
    },
  },
  strategy: {},
  printerColumns: [],
  subresources: {},
};
