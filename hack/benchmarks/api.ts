/** `hack/bench api`: our API server beside a CRD of the same schema, through the same kube-apiserver, with the same client. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mapLimited } from '../../src/base/limiter.ts';
import { allResources } from '../../src/tenancy/resources/all.ts';
import { dataStoreObject } from '../../test/env/api-objects.ts';
import { adminKubeconfig, startApiServer } from '../../test/env/api-server.ts';
import { repositoryRoot } from '../../test/env/run.ts';
import { installTwins, TWIN_GROUP } from '../../test/env/twin-crd.ts';
import { BenchClient } from './api-client.ts';
import { measureDelivery } from './api-delivery.ts';
import { measureOperation, printHead, printRow, type Row } from './api-figures.ts';
import { readOperations, writeOperations, type Operation, type Side } from './api-operations.ts';
import { newStatus, newTenant } from './api-tenant.ts';
import { imageSettings } from './image-settings.ts';
import { residentMegabytes } from './process-figures.ts';

const MIN_OBJECTS = 40;

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '1000' },
    samples: { type: 'string', default: '300' },
    watchers: { type: 'string', default: '1000' },
    'memory-objects': { type: 'string', default: '10000' },
    only: { type: 'string', default: '' },
    'node-flag': { type: 'string', multiple: true, default: [] },
    program: { type: 'string', default: join(repositoryRoot, 'dist/main.js') },
  },
});
const objects = positive('objects', values.objects);
if (objects < MIN_OBJECTS) throw new Error(`--objects must be ${MIN_OBJECTS} at least: that many are written to`);
const samples = positive('samples', values.samples);
const watchers = positive('watchers', values.watchers);
const memoryObjects = positive('memory-objects', values['memory-objects']);
/** Rows to measure: those whose name holds this text. */
const only = values.only;

const state = process.env['KAMAJI_STATE'] ?? '';
const kubeApiServer = Number.parseInt(await readFile(join(state, 'run/kube-apiserver.pid'), 'utf8'), 10);

const image = imageSettings();
Object.assign(process.env, image.variables);
const server = await startApiServer([], [...image.nodeFlags, ...values['node-flag'], values.program]);
try {
  const resources = allResources({ tenantControlPlaneConnect: [] });
  await installTwins([resources[0]]);
  const client = await BenchClient.open(adminKubeconfig());
  const ours: Side = { name: 'ours', apiVersion: 'kamaji.io/v1alpha1', pids: [kubeApiServer, server.pid()!] };
  const twin: Side = { name: 'CRD', apiVersion: `${TWIN_GROUP}/v1alpha1`, pids: [kubeApiServer] };
  print(`memory at the start: ${residentMegabytes(server.pid()!).toFixed(0)} MB`);
  await client.send({
    method: 'POST',
    path: '/apis/kamaji.io/v1alpha1/datastores',
    body: JSON.stringify(dataStoreObject('default')),
  });
  // What an earlier run has left; our own side has a new database.
  await client.send({ method: 'DELETE', path: collectionPath(twin) });
  await fill(client, [ours, twin], 0, objects);
  const sizes = await Promise.all(
    [ours, twin].map(async (side) => (await client.send({ path: objectPath(side, tenantName(0)), gzip: false })).bytes),
  );
  print(`${objects} objects on each side, of ${sizes[0]} and ${sizes[1]} bytes; ${samples} samples a row`);
  print(`memory with them: ${residentMegabytes(server.pid()!).toFixed(0)} MB\n`);

  const rows: Row[] = [];
  const report = (row: Row): void => {
    rows.push(row);
    printRow(row);
  };
  printHead();
  const wanted = (operation: { readonly name: string }): boolean => operation.name.includes(only);
  const run = async (operations: readonly Operation[]): Promise<void> => {
    for (const operation of operations.filter(wanted))
      report(await measureOperation(client, operation, [ours, twin], samples));
  };
  await run(readOperations(objects));
  await run(writeOperations(objects));
  if (wanted({ name: 'watch delivery' })) report(await measureDelivery(client, [ours, twin], watchers));
  const memory = 'memory'.includes(only) ? await measureMemory(client, ours) : 0;

  print('');
  const missed = rows.filter((row) => row.missed !== undefined);
  if (memory > 150) print(`misses its target: memory, ${memory.toFixed(0)} MB of 150 MB`);
  for (const { name, missed: how } of missed) print(`misses its target: ${name}, ${how}`);
  if (missed.length === 0 && memory <= 150) print('all targets are met');
  client.close();
} finally {
  await server.remove();
}

/** Creates the objects from `first` to before `end` and gives them a status, as the controllers would. */
async function fill(client: BenchClient, sides: readonly Side[], first: number, end: number): Promise<void> {
  const indexes = Array.from({ length: end - first }, (_, index) => first + index);
  for (const side of sides) {
    await mapLimited(indexes, 8, async (index) => {
      const name = tenantName(index);
      const created = await client.read<object>({
        method: 'POST',
        path: `${collectionPath(side)}?fieldManager=kubectl-create`,
        body: JSON.stringify(newTenant(side.apiVersion, name)),
      });
      await client.send({
        method: 'PUT',
        path: `${objectPath(side, name)}/status?fieldManager=kamaji`,
        body: JSON.stringify({ ...created, status: newStatus(name) }),
      });
    });
  }
}

async function measureMemory(client: BenchClient, side: Side): Promise<number> {
  const pid = server.pid()!;
  print('');
  await fill(client, [side], objects, memoryObjects);
  print(`memory with ${memoryObjects} objects, just written: ${residentMegabytes(pid).toFixed(0)} MB`);
  const { resourceVersion } = (
    await client.read<{ readonly metadata: { readonly resourceVersion: string } }>({
      path: `${collectionPath(side)}?limit=1`,
    })
  ).metadata;
  const open = await mapLimited(Array.from({ length: watchers }), 50, () =>
    client.watch(`${collectionPath(side)}?watch=true&resourceVersion=${resourceVersion}`, () => undefined),
  );
  print(`  and ${watchers} watchers: ${residentMegabytes(pid).toFixed(0)} MB`);
  for (let round = 0; round < 20; round++) await client.send({ path: collectionPath(side) });
  const afterLists = residentMegabytes(pid);
  print(`  and after 20 lists of everything: ${afterLists.toFixed(0)} MB`);
  for (let round = 0; round < 20; round++) {
    await client.send({
      method: 'PATCH',
      path: objectPath(side, tenantName(round)),
      contentType: 'application/merge-patch+json',
      body: JSON.stringify({ metadata: { annotations: { round: String(round) } } }),
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const memory = residentMegabytes(pid);
  print(`  and after 20 writes to all watchers: ${memory.toFixed(0)} MB (target 150 MB)`);
  for (const watch of open) watch.close();
  return Math.max(memory, afterLists);
}

function collectionPath(side: Side): string {
  return `/apis/${side.apiVersion}/namespaces/default/tenantcontrolplanes`;
}

function objectPath(side: Side, name: string): string {
  return `${collectionPath(side)}/${name}`;
}

function tenantName(index: number): string {
  return `tenant-${String(index).padStart(5, '0')}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100_000)
    throw new Error(`--${flag} must be between 1 and 100000`);
  return value;
}
