import { expect, test } from 'vitest';
import { widgetDefinition } from '../../testing/widget.ts';
import type { AdmissionRequest } from '../admission.ts';
import { newNamespaceLifecycle } from './namespace-lifecycle.ts';

type Found = { readonly phase: string } | undefined;

function world() {
  const looks: (PromiseWithResolvers<Found> & { readonly name: string; readonly fromCache: boolean })[] = [];
  const plugin = newNamespaceLifecycle((name, { fromCache }) => {
    const look = { ...Promise.withResolvers<Found>(), name, fromCache };
    looks.push(look);
    return look.promise;
  });
  return { looks, plugin };
}

function newRequest(facts: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    request: {},
    operation: 'CREATE',
    definition: widgetDefinition,
    subresource: '',
    namespace: 'team',
    name: 'one',
    object: { apiVersion: 'own.example.com/v1', kind: 'Widget', metadata: { name: 'one' } },
    old: undefined,
    user: { name: 'somebody', groups: [], extra: {} },
    dryRun: false,
    reader: { get: () => Promise.resolve(undefined), list: () => Promise.resolve([]) },
    warn: () => undefined,
    ...facts,
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test('the look at the namespace that has begun is the one that counts', async () => {
  const { looks, plugin } = world();
  const request = newRequest();
  plugin.begin!(request);
  expect(looks.map((look) => look.name)).toEqual(['team']);
  const answer = plugin.mutate!({ ...request });
  expect(looks).toHaveLength(1);
  looks[0]!.resolve({ phase: 'Active' });
  expect(await answer).toBe(request.object);
});

test('without a beginning it looks by itself, and only where something is created in a namespace', async () => {
  const { looks, plugin } = world();
  const others = [newRequest({ operation: 'UPDATE' }), newRequest({ subresource: 'kubeconfig' })];
  for (const request of others) {
    plugin.begin!(request);
    expect(await plugin.mutate!(request)).toBe(request.object);
  }
  expect(looks).toHaveLength(0);
  const answer = plugin.mutate!(newRequest());
  looks[0]!.resolve(undefined);
  await settle();
  looks[1]!.resolve(undefined);
  await expect(answer).rejects.toMatchObject({ status: { code: 404 } });
});

test('many creates at a time share a look, but never one that was under way before they came', async () => {
  const { looks, plugin } = world();
  const first = plugin.mutate!(newRequest());
  const late = [newRequest(), newRequest(), newRequest()].map((request) => plugin.mutate!(request));
  const elsewhere = plugin.mutate!(newRequest({ namespace: 'other' }));
  expect(looks.map((look) => look.name)).toEqual(['team', 'other']);
  looks[0]!.resolve({ phase: 'Active' });
  looks[1]!.resolve({ phase: 'Active' });
  await first;
  await elsewhere;
  await settle();
  expect(looks.map((look) => look.name)).toEqual(['team', 'other', 'team']);
  looks[2]!.resolve({ phase: 'Terminating' });
  await settle();
  looks[3]!.resolve({ phase: 'Terminating' });
  for (const answer of late) await expect(answer).rejects.toMatchObject({ status: { code: 403 } });
});

test('a look that fails is the failure of its request, and nobody falls over it when that has gone', async () => {
  const { looks, plugin } = world();
  plugin.begin!(newRequest());
  looks[0]!.reject(new Error('no connection'));
  await settle();
  const answer = plugin.mutate!(newRequest());
  looks[1]!.reject(new Error('no connection'));
  await expect(answer).rejects.toThrow('no connection');
});

test.each([undefined, { phase: 'Terminating' }])('%o in a cache is asked of the cluster itself', async (cached) => {
  const { looks, plugin } = world();
  const request = newRequest();
  const answer = plugin.mutate!(request);
  looks[0]!.resolve(cached);
  await settle();
  expect(looks.map((look) => look.fromCache)).toEqual([true, false]);
  looks[1]!.resolve({ phase: 'Active' });
  expect(await answer).toBe(request.object);
});
