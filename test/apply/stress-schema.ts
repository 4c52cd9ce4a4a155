import type { Schema } from '../../src/apimachinery/schema/schema.ts';

/** Every way of merging that a schema can ask for, nested in each other. */
const port: Schema = {
  type: 'object',
  properties: {
    port: { type: 'integer' },
    protocol: { type: 'string', default: 'TCP' },
    name: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
  },
  required: ['port'],
};

const ports: Schema = {
  type: 'array',
  items: port,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['port', 'protocol'],
};

const container: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    image: { type: 'string' },
    ports,
    args: { type: 'array', items: { type: 'string' } },
    env: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, value: { type: 'string' } },
        required: ['name'],
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
    resources: { type: 'object', additionalProperties: { 'x-kubernetes-int-or-string': true } },
  },
  required: ['name'],
};

const point: Schema = {
  type: 'object',
  properties: { x: { type: 'number' }, y: { type: 'number' } },
};

export const stressSchema: Schema = {
  type: 'object',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: {
      type: 'object',
      properties: {
        replicas: { type: 'integer', format: 'int32' },
        ratio: { type: 'number' },
        text: { type: 'string' },
        date: { type: 'string', format: 'date-time' },
        bytes: { type: 'string', format: 'byte' },
        flag: { type: 'boolean' },
        maybe: { type: 'string', nullable: true },
        maybePoint: { ...point, nullable: true },
        amount: { 'x-kubernetes-int-or-string': true },
        containers: {
          type: 'array',
          items: container,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        },
        optionalKeys: {
          type: 'array',
          items: {
            type: 'object',
            properties: { a: { type: 'string' }, b: { type: 'boolean' }, c: { type: 'number' }, v: { type: 'string' } },
          },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['c', 'a', 'b'],
        },
        numbers: { type: 'array', items: { type: 'integer' }, 'x-kubernetes-list-type': 'set' },
        words: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        flags: { type: 'array', items: { type: 'boolean' }, 'x-kubernetes-list-type': 'set' },
        mixed: { type: 'array', items: { 'x-kubernetes-int-or-string': true }, 'x-kubernetes-list-type': 'set' },
        atomicList: { type: 'array', items: point, 'x-kubernetes-list-type': 'atomic' },
        plainList: { type: 'array', items: { type: 'array', items: { type: 'integer' } } },
        atomicMap: { ...point, 'x-kubernetes-map-type': 'atomic' },
        atomicFree: { type: 'object', additionalProperties: { type: 'string' }, 'x-kubernetes-map-type': 'atomic' },
        granular: { ...point, 'x-kubernetes-map-type': 'granular' },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        byName: { type: 'object', additionalProperties: container },
        lists: {
          type: 'object',
          additionalProperties: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        },
        deep: {
          type: 'object',
          properties: {
            er: {
              type: 'object',
              properties: { est: { type: 'object', properties: { value: { type: 'string' }, ports } } },
            },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        anything: { 'x-kubernetes-preserve-unknown-fields': true, nullable: true },
        half: {
          type: 'object',
          properties: { known: { type: 'string' }, inner: { type: 'object', properties: { x: { type: 'integer' } } } },
          'x-kubernetes-preserve-unknown-fields': true,
        },
        open: { type: 'object' },
        embedded: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
        template: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          properties: { spec: { type: 'object', properties: { text: { type: 'string' } } } },
        },
      },
    },
    status: {
      type: 'object',
      properties: {
        phase: { type: 'string' },
        replicas: { type: 'integer' },
        conditions: {
          type: 'array',
          items: {
            type: 'object',
            properties: { type: { type: 'string' }, status: { type: 'string' }, message: { type: 'string' } },
            required: ['type'],
          },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
        },
      },
    },
  },
};
