import type { Schema } from '../schema/schema.ts';

const string = { type: 'string' } as const satisfies Schema;
const identity = { type: 'string', default: '' } as const satisfies Schema;
const time = { type: 'string', format: 'date-time' } as const satisfies Schema;
const stringMap = { type: 'object', additionalProperties: identity } as const satisfies Schema;

/** `metadata` of every object, as far as merging cares: io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta. */
export const objectMetaSchema = {
  type: 'object',
  properties: {
    annotations: stringMap,
    creationTimestamp: time,
    deletionGracePeriodSeconds: { type: 'integer', format: 'int64' },
    deletionTimestamp: time,
    finalizers: { type: 'array', items: identity, 'x-kubernetes-list-type': 'set' },
    generateName: string,
    generation: { type: 'integer', format: 'int64' },
    labels: stringMap,
    managedFields: { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'atomic' },
    name: string,
    namespace: string,
    ownerReferences: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          apiVersion: identity,
          blockOwnerDeletion: { type: 'boolean' },
          controller: { type: 'boolean' },
          kind: identity,
          name: identity,
          uid: identity,
        },
        required: ['apiVersion', 'kind', 'name', 'uid'],
        'x-kubernetes-map-type': 'atomic',
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
    },
    resourceVersion: string,
    selfLink: string,
    uid: string,
  },
} as const satisfies Schema;
