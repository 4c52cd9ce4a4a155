import type { BenchClient, BenchRequest } from './api-client.ts';
import { newTenant } from './api-tenant.ts';

/** What is measured, one operation a row. */

export interface Side {
  readonly name: string;
  readonly apiVersion: string;
  /** The processes that do the work. */
  readonly pids: readonly number[];
}

export interface Operation {
  readonly name: string;
  /** Ratio of ours to the CRD's that must not be exceeded. */
  readonly target: number;
  /** Part of the asked-for samples that is enough: a list costs as much as many gets. */
  readonly share: number;
  /** Done before the clock starts. */
  prepare(client: BenchClient, side: Side, index: number): Promise<readonly BenchRequest[]>;
}

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';

export function collection(side: Side): string {
  return `/apis/${side.apiVersion}/namespaces/default/tenantcontrolplanes`;
}

function object(side: Side, prefix: string, index: number): string {
  return `${collection(side)}/${prefix}-${String(index).padStart(5, '0')}`;
}

/** `objects`: how many there are of the name `tenant-`. */
export function readOperations(objects: number): readonly Operation[] {
  const list = (name: string, request: (side: Side) => Omit<BenchRequest, 'method'>): Operation => ({
    name,
    target: 1,
    share: 0.15,
    prepare: async (_client, side) => [request(side)],
  });
  return [
    {
      name: 'get',
      target: 1.3,
      share: 1,
      prepare: async (_client, side, index) => [{ path: object(side, 'tenant', (index * 37) % objects) }],
    },
    list('list, full', (side) => ({ path: collection(side) })),
    list('list, full, without gzip', (side) => ({ path: collection(side), gzip: false })),
    list('list, full, resourceVersion=0', (side) => ({ path: `${collection(side)}?resourceVersion=0` })),
    {
      name: 'list, pages of 500',
      target: 1,
      share: 0.15,
      prepare: async (client, side) => {
        const requests: BenchRequest[] = [];
        for (let token = ''; ;) {
          const path = `${collection(side)}?limit=500${token === '' ? '' : `&continue=${token}`}`;
          const page = await client.read<{ readonly metadata: { readonly continue?: string } }>({ path });
          requests.push({ path });
          token = page.metadata.continue ?? '';
          if (token === '') return requests;
        }
      },
    },
    list('list, metadata only', (side) => ({ path: collection(side), accept: partialList })),
    list('list, Table', (side) => ({ path: collection(side), accept: table })),
    list('list, by a label that no object has', (side) => ({ path: `${collection(side)}?labelSelector=no%3Done` })),
  ];
}

export function writeOperations(objects: number): readonly Operation[] {
  const write = (name: string, prepare: Operation['prepare']): Operation => ({ name, target: 1.3, share: 1, prepare });
  const annotation = (index: number): object => ({
    metadata: { annotations: { 'bench.io/turn': `${index}-${turn++}` } },
  });
  let turn = 0;
  return [
    write('create', async (_client, side, index) => [
      {
        method: 'POST',
        path: `${collection(side)}?fieldManager=kubectl-create`,
        body: JSON.stringify(newTenant(side.apiVersion, nameOf(index))),
      },
    ]),
    write('update', async (client, side, index) => {
      const path = object(side, 'tenant', index % objects);
      const old = await client.read<{ readonly metadata: object }>({ path });
      const next = { ...old, metadata: { ...old.metadata, ...withTurn(old.metadata, turn++) } };
      return [{ method: 'PUT', path, body: JSON.stringify(next) }];
    }),
    write('merge patch', async (_client, side, index) => [
      {
        method: 'PATCH',
        path: object(side, 'tenant', index % objects),
        contentType: 'application/merge-patch+json',
        body: JSON.stringify(annotation(index)),
      },
    ]),
    write('server-side apply', async (_client, side, index) => {
      const name = `tenant-${String(index % objects).padStart(5, '0')}`;
      const whole = newTenant(side.apiVersion, name) as { readonly metadata: object };
      return [
        {
          method: 'PATCH',
          path: `${collection(side)}/${name}?fieldManager=bench&force=true`,
          contentType: 'application/apply-patch+yaml',
          body: JSON.stringify({ ...whole, metadata: { ...whole.metadata, ...withTurn(whole.metadata, turn++) } }),
        },
      ];
    }),
    write('delete', async (_client, side, index) => [
      { method: 'DELETE', path: `${collection(side)}/${nameOf(index)}`, body: '{"propagationPolicy":"Background"}' },
    ]),
  ];
}

/** Of the objects that `create` makes and `delete` takes away. */
function nameOf(index: number): string {
  return `extra-${String(index).padStart(5, '0')}`;
}

function withTurn(metadata: { readonly annotations?: object }, turn: number): object {
  return { annotations: { ...metadata.annotations, 'bench.io/turn': String(turn) } };
}
