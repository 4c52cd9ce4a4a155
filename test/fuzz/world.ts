import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { GROUP_PATH, kubeconfigCredentials, openOwnPort, type Credentials, type RawApi } from '../env/raw-api.ts';
import { runOk } from '../env/run.ts';
import { NAMESPACE, specs } from './hostile.ts';

/** Our server, with a few objects to be hurt. */
export interface World {
  readonly server: ApiServerProcess;
  readonly own: RawApi;
  readonly credentials: Credentials;
  /** Resident memory of the server, in MiB. */
  residentMib(): Promise<number>;
  /** Revision of the store. */
  revision(): Promise<string>;
  /** That everything stored can be read, by list and one by one. Answers how many objects there are. */
  readAll(): Promise<number>;
  close(): Promise<void>;
}

/** Nothing that a fuzzer deletes is gone while the finalizer is there. */
function seeded(kind: string, name: string, namespace?: string): object {
  const metadata = { name, finalizers: ['kamaji.io/fuzz'], ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: 'kamaji.io/v1alpha1', kind, metadata, spec: specs[kind] };
}

const collections = ['datastores', 'kubeconfiggenerators', 'tenantcontrolplanes'];

interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export async function openWorld(): Promise<World> {
  const server = await startApiServer();
  const credentials = await kubeconfigCredentials();
  const own = openOwnPort(credentials);
  await runOk('hack/kubectl', ['delete', 'namespace', NAMESPACE, '--ignore-not-found']);
  await runOk('hack/kubectl', ['create', 'namespace', NAMESPACE]);
  for (const name of ['fuzz', 'kept']) {
    await own.read(`${GROUP_PATH}/datastores`, { method: 'POST', body: seeded('DataStore', name) });
    await own.read(`${GROUP_PATH}/namespaces/${NAMESPACE}/tenantcontrolplanes`, {
      method: 'POST',
      body: seeded('TenantControlPlane', name, NAMESPACE),
    });
  }
  const list = (collection: string) =>
    own.read<{ readonly metadata: { readonly resourceVersion: string }; readonly items: readonly Item[] }>(
      `${GROUP_PATH}/${collection}`,
    );
  return {
    server,
    own,
    credentials,
    residentMib: async () => {
      const text = await readFile(`/proc/${server.pid()}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
    },
    revision: async () => (await list('datastores')).metadata.resourceVersion,
    readAll: async () => {
      let count = 0;
      for (const collection of collections) {
        for (const { metadata } of (await list(collection)).items) {
          const place = metadata.namespace === undefined ? '' : `namespaces/${metadata.namespace}/`;
          const one = await own.read<Item>(`${GROUP_PATH}/${place}${collection}/${metadata.name}`);
          expect(one.metadata.name).toBe(metadata.name);
          count++;
        }
      }
      return count;
    },
    close: async () => {
      // Finalizers and objects go with the store; the namespace controller must not find them.
      own.close();
      await server.remove();
    },
  };
}
