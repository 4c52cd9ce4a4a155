import type { KubeObject } from '../../apimachinery/object.ts';
import type { Schema } from '../../apimachinery/schema/schema.ts';
import { invalidValue } from '../../apimachinery/field-error.ts';
import type { ResourceDefinition } from '../registry/definition.ts';

/** Made-up kinds, to prove that the engine knows none. Their schema is that of a custom resource one can compare with. */

export interface Widget extends KubeObject {
  readonly spec: {
    readonly size: number;
    readonly color: string;
    readonly replicas: number;
    readonly serial?: string;
    readonly tags?: Readonly<Record<string, string>>;
    readonly parts?: readonly { readonly name: string; readonly count: number }[];
    readonly free?: object;
  };
  readonly status?: {
    readonly replicas?: number;
    readonly selector?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const string: Schema = { type: 'string' };
const integer: Schema = { type: 'integer', format: 'int32' };

export const widgetSchema: Schema = {
  type: 'object',
  description: 'A widget.',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { ...integer, minimum: 1, maximum: 100 },
        color: { ...string, default: 'red', enum: ['red', 'green', 'blue'] },
        replicas: { ...integer, default: 1 },
        serial: string,
        tags: { type: 'object', additionalProperties: string },
        parts: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: string, count: { ...integer, default: 1 } },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: {
      type: 'object',
      properties: {
        replicas: integer,
        selector: string,
        conditions: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
          items: { type: 'object', required: ['type', 'status'], properties: { type: string, status: string } },
        },
      },
    },
  },
};

export const widgetDefinition: ResourceDefinition<Widget> = {
  group: 'own.example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  singular: 'widget',
  shortNames: ['wd'],
  categories: ['toys'],
  namespaced: true,
  schema: widgetSchema,
  strategy: {
    validateUpdate: (widget, old) =>
      old.spec.serial !== undefined && widget.spec.serial !== old.spec.serial
        ? [invalidValue('spec.serial', widget.spec.serial ?? '', 'field is immutable')]
        : [],
    warnings: (widget) => (widget.spec.size === 13 ? ['size 13 brings bad luck'] : []),
    claims: ({ spec }) =>
      spec.serial === undefined ? [] : [{ key: `serial/${spec.serial}`, field: 'spec.serial', value: spec.serial }],
  },
  printerColumns: [
    { name: 'Size', type: 'integer', description: 'The size.', jsonPath: '.spec.size' },
    { name: 'Color', type: 'string', description: '', priority: 1, jsonPath: '.spec.color' },
    { name: 'Ready', type: 'string', description: '', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Age', type: 'date', description: '', jsonPath: '.metadata.creationTimestamp' },
  ],
  subresources: {
    status: true,
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: '.status.selector',
    },
    connect: [
      {
        name: 'token',
        responseKind: { group: '', version: 'v1', kind: 'Config' },
        responseSchema: { type: 'object', properties: { token: string, seconds: integer } },
        requestSchema: {
          type: 'object',
          properties: { apiVersion: string, kind: string, seconds: { ...integer, default: 600, minimum: 60 } },
        },
        verbs: ['get', 'create'],
        alsoRequiresVerb: 'create',
        sensitive: true,
        connect: (widget, request) => {
          const { seconds } = request.body as { readonly seconds: number };
          return Promise.resolve({
            apiVersion: 'v1',
            kind: 'Config',
            token: `secret-of-${widget.metadata.name}-for-${request.user.name}`,
            seconds,
          });
        },
        columns: [{ name: 'Name', type: 'string', description: 'Whose token.' }],
        row: (_answer, widget) => [widget.metadata.name ?? ''],
      },
    ],
  },
};

/** A cluster-scoped kind without any subresource. */
export const gadgetDefinition: ResourceDefinition = {
  group: 'own.example.com',
  version: 'v1',
  kind: 'Gadget',
  plural: 'gadgets',
  singular: 'gadget',
  shortNames: [],
  categories: [],
  namespaced: false,
  schema: { type: 'object', properties: { note: string } },
  strategy: { nameRule: 'rfc1035Label' },
  printerColumns: [],
  subresources: {},
};
