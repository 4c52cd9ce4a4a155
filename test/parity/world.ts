import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataStores } from '../../src/tenancy/resources/datastores/definition.ts';
import { tenantControlPlanes } from '../../src/tenancy/resources/tenantcontrolplanes/definition.ts';
import { dataStoreObject } from '../env/api-objects.ts';
import { startApiServer } from '../env/api-server.ts';
import type { RawApi } from '../env/raw-api.ts';
import { openClusterApi } from '../env/raw-api.ts';
import { eventually, repositoryRoot, runOk } from '../env/run.ts';
import { installTwins } from '../env/twin-crd.ts';
import { plainDefinition, sampleDefinition } from './rich-definition.ts';
import { PRODUCT_GROUP, RICH_PREFIX, TWIN_GROUP } from './subjects.ts';

const ADDRESS = '10.240.0.1';
const RICH_PORT = 8444;
const RICH_GROUP = RICH_PREFIX + PRODUCT_GROUP;

const RICH_BACKEND = `apiVersion: v1
kind: Service
metadata: { name: rich, namespace: kamaji-system }
spec:
  ports: [{ name: https, port: 443, targetPort: ${RICH_PORT}, protocol: TCP }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: rich-process, namespace: kamaji-system, labels: { kubernetes.io/service-name: rich } }
addressType: IPv4
endpoints: [{ addresses: ["${ADDRESS}"], conditions: { ready: true } }]
ports: [{ name: https, port: ${RICH_PORT}, protocol: TCP }]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: { name: v1.${RICH_GROUP} }
spec:
  group: ${RICH_GROUP}
  version: v1
  groupPriorityMinimum: 1900
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: { name: rich, namespace: kamaji-system, port: 443 }
`;

export interface World {
  readonly api: RawApi;
  close(): Promise<void>;
}

/** The product and the rich kinds behind kube-apiserver, and beside them what kube-apiserver serves for the same definitions. */
export async function openWorld(namespaces: readonly string[]): Promise<World> {
  const collector = await suspendControllers();
  const product = await startApiServer();
  const rich = await startRichServer();
  const api = await openClusterApi();
  await installTwins([tenantControlPlanes([]), dataStores], TWIN_GROUP);
  await installTwins([sampleDefinition, plainDefinition], RICH_PREFIX + TWIN_GROUP);
  for (const group of [PRODUCT_GROUP, TWIN_GROUP]) {
    for (const path of [
      `/apis/${RICH_PREFIX}${group}/v1/samples`,
      `/apis/${RICH_PREFIX}${group}/v1/plains`,
      `/apis/${group}/v1alpha1/tenantcontrolplanes`,
      `/apis/${group}/v1alpha1/datastores`,
    ]) {
      // kube-apiserver asks for patience while it makes a storage for a new kind.
      await eventually(`${path} to be served`, async () => ((await api.ask(path)).code === 200 ? true : undefined));
    }
  }
  for (const name of namespaces) await makeUnlessThere(api, '/api/v1/namespaces', { metadata: { name } });
  for (const group of [PRODUCT_GROUP, TWIN_GROUP]) {
    const body = dataStoreObject('default');
    await makeUnlessThere(api, `/apis/${group}/v1alpha1/datastores`, { ...body, apiVersion: `${group}/v1alpha1` });
  }
  return {
    api,
    close: async () => {
      api.close();
      collector.resume();
      await rich.stop();
      await product.remove();
    },
  };
}

/**
 * The garbage collector would take the finalizers of deletions away, and objects with owners that are not there, at a moment of its
 * own for either side.
 */
async function suspendControllers(): Promise<{ resume(): void }> {
  const state = process.env['KAMAJI_STATE'] ?? '';
  const pid = Number.parseInt(await readFile(join(state, 'run', 'kube-controller-manager.pid'), 'utf8'), 10);
  process.kill(pid, 'SIGSTOP');
  return { resume: () => void process.kill(pid, 'SIGCONT') };
}

async function makeUnlessThere(api: RawApi, path: string, body: object): Promise<void> {
  const made = await api.ask(path, { method: 'POST', body });
  if (made.code !== 201 && made.code !== 409) throw new Error(`POST ${path}: ${made.code} ${made.text}`);
}

async function startRichServer(): Promise<{ stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'kamaji-parity-'));
  const child = spawn(
    process.execPath,
    [join(repositoryRoot, 'test/parity/rich-server.ts'), ADDRESS, String(RICH_PORT), folder],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  child.stderr.pipe(createWriteStream(join(folder, 'server.log')));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await runOk('hack/kubectl', ['apply', '-f', '-'], { input: RICH_BACKEND });
  await runOk('hack/kubectl', ['annotate', `apiservice/v1.${RICH_GROUP}`, '--overwrite', `test/started=${Date.now()}`]);
  return {
    stop: async () => {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
