/** Upstream's own readers of OpenAPI documents, on what we publish and on what the cluster makes of it. */
import { afterAll, expect, it } from 'vitest';
import { fullObject } from './full-object.ts';
import { definitions, documentFolder, openWorld, PROTOBUF_V2, verdictsOf } from './world.ts';

const world = await openWorld();
const folder = await documentFolder();
afterAll(async () => {
  await folder.remove();
  await world.close();
});

const { own, cluster } = world;
const protobuf = await cluster.ask('/openapi/v2', { headers: { Accept: PROTOBUF_V2 } });
await folder.write('own-v2.json', (await own.ask('/openapi/v2')).text);
await folder.write('own-v3.json', (await own.ask('/openapi/v3/apis/kamaji.io/v1alpha1')).text);
await folder.write('merged-v2.json', (await cluster.ask('/openapi/v2')).text);
await folder.write('merged-v2.pb', protobuf.bytes);
for (const definition of definitions) {
  await folder.write(`full-${definition.kind}.json`, JSON.stringify(fullObject(definition)));
}

it('the cluster serves its OpenAPI as protobuf', () => {
  expect(protobuf.code).toBe(200);
  expect(protobuf.headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
});

for (const { name, error } of [...(await verdictsOf('documents', folder.path)), ...(await verdictsOf('clients'))]) {
  it(name, () => expect(error).toBe(''));
}
