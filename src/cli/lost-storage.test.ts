import { describe, expect, it } from 'vitest';
import type { Storage } from '../apiserver/storage/storage.ts';
import type { KubeClient } from '../kubeclient/client.ts';
import { refuseLostStorage } from './lost-storage.ts';

const storageWith = (keys: readonly string[]): Storage =>
  ({
    list: (prefix: string) =>
      Promise.resolve({ items: keys.filter((key) => key.startsWith(prefix)).map((key) => ({ key })) }),
  }) as unknown as Storage;
const clusterWith = (names: readonly string[]): KubeClient =>
  ({
    list: () => Promise.resolve({ items: names.map((name) => ({ metadata: { namespace: 'team', name } })) }),
  }) as unknown as KubeClient;
const { signal } = new AbortController();

describe('an empty store', () => {
  it('is refused beside a cluster that holds tenants, with what to do', async () => {
    const start = refuseLostStorage(
      storageWith(['/kamaji.io/datastores/default']),
      clusterWith(['a-ca', 'b-ca']),
      signal,
    );
    await expect(start).rejects.toThrow(/Secret team\/a-ca and 1 more.*kamaji restore.*--accept-empty-storage=true/s);
  });

  it('is fine beside a cluster without tenants', async () => {
    await refuseLostStorage(storageWith([]), clusterWith([]), signal);
  });
});

it('a store with tenants is not asked about', async () => {
  await refuseLostStorage(storageWith(['/kamaji.io/tenantcontrolplanes/team/a']), clusterWith(['a-ca']), signal);
});
