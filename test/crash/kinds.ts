import type { KubeObject } from '../../src/apimachinery/object.ts';
import type { ResourceDefinition } from '../../src/apiserver/registry/definition.ts';

export interface Ticket extends KubeObject {
  readonly spec: {
    /** Who wrote it. */
    readonly writer: string;
    /** Counts the writes to one object. */
    readonly count: number;
    /** As many characters as `count` says, so that half a write would show. */
    readonly filling: string;
    /** Held by one ticket at a time. */
    readonly seat?: string;
  };
}

export const ticketDefinition: ResourceDefinition<Ticket> = {
  group: 'crash.example.com',
  version: 'v1',
  kind: 'Ticket',
  plural: 'tickets',
  singular: 'ticket',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: {
    type: 'object',
    required: ['spec'],
    properties: {
      spec: {
        type: 'object',
        required: ['writer', 'count', 'filling'],
        properties: {
          writer: { type: 'string' },
          count: { type: 'integer' },
          filling: { type: 'string' },
          seat: { type: 'string' },
        },
      },
    },
  },
  strategy: {
    claims: ({ spec }) =>
      spec.seat === undefined ? [] : [{ key: `seat/${spec.seat}`, field: 'spec.seat', value: spec.seat }],
  },
  printerColumns: [],
  subresources: {},
};

/** What an object with this count is filled with. */
export function fillingOf(count: number): string {
  return 'x'.repeat((count * 37) % 6_000);
}
