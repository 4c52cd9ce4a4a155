/** Several of our API servers on one etcd, behind the real aggregation layer, each with an endpoint that can be taken away. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { adminKubeconfig } from './api-server.ts';
import { kubeconfigCredentials, RawApi } from './raw-api.ts';
import { eventually, repositoryRoot, run, runOk } from './run.ts';
import { startStoreServer, type StoreServer } from './store-server.ts';

/** The admin machine's address in the network namespace of `hack/up`. */
const ADDRESS = '10.240.0.1';
const FIRST_PORT = 8443;
const METRIC = 'leader_election_master_status';

export interface Replica {
  readonly name: string;
  /** At its own port, as cluster admin. */
  readonly api: RawApi;
  isRunning(): boolean;
  /** As kubelet and endpoint controller do: no new requests from SIGTERM on, and the process ends when it is done. */
  stop(): Promise<void>;
  /** SIGKILL; the endpoint stays for a moment, as readiness probes notice late. */
  kill(): Promise<void>;
  /** Starts it, and gives it requests once it is ready. */
  start(): Promise<void>;
  /** Whether it runs the controllers, by its own metrics; undefined when it does not answer. */
  leads(): Promise<boolean | undefined>;
}

export interface Replicas {
  readonly all: readonly Replica[];
  readonly store: StoreServer;
  /** Who holds the Lease: the name of a replica. */
  holder(): Promise<string | undefined>;
  remove(): Promise<void>;
}

const slice = (index: number, ready: boolean): string => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: kamaji-replica-${index}, namespace: kamaji-system, labels: { kubernetes.io/service-name: kamaji } }
addressType: IPv4
endpoints: [{ addresses: ["${ADDRESS}"], conditions: { ready: ${ready} } }]
ports: [{ name: https, port: ${FIRST_PORT + index}, protocol: TCP }]
`;

const BACKEND = `apiVersion: v1
kind: Namespace
metadata: { name: kamaji-system }
---
apiVersion: v1
kind: Service
metadata: { name: kamaji, namespace: kamaji-system }
spec:
  ports: [{ name: https, port: 443, targetPort: ${FIRST_PORT}, protocol: TCP }]
`;

export async function startReplicas(count: number): Promise<Replicas> {
  await runOk('hack/kubectl', ['apply', '-f', '-'], { input: BACKEND });
  await runOk('hack/kubectl', ['apply', '-k', 'apiservice']);
  await runOk('hack/kubectl', [
    '-n',
    'kamaji-system',
    'delete',
    'endpointslice',
    'kamaji-process',
    '--ignore-not-found',
  ]);
  await runOk('hack/kubectl', ['-n', 'kamaji-system', 'delete', 'lease', 'kamaji-controllers', '--ignore-not-found']);
  const store = await startStoreServer('etcd');
  const credentials = await kubeconfigCredentials();
  const replicas = Array.from({ length: count }, (_, index) => newReplica(index, store, credentials));
  const remove = async (): Promise<void> => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    for (const replica of replicas) replica.api.close();
    const slices = replicas.map((_, index) => `kamaji-replica-${index}`);
    await runOk('hack/kubectl', ['-n', 'kamaji-system', 'delete', 'endpointslice', ...slices, '--ignore-not-found']);
    await store.remove();
  };
  try {
    await Promise.all(replicas.map((replica) => replica.start()));
    await eventually('the APIService to be Available', async () => {
      await runOk('hack/kubectl', [
        'annotate',
        'apiservice/v1alpha1.kamaji.io',
        '--overwrite',
        `test.kamaji.io/started=${Date.now()}`,
      ]);
      const answer = await run('hack/kubectl', ['get', '--raw', '/apis/kamaji.io/v1alpha1/datastores?limit=1']);
      return answer.code === 0 ? true : undefined;
    });
  } catch (error) {
    await remove();
    throw error;
  }
  const holder = async (): Promise<string | undefined> => {
    const args = ['-n', 'kamaji-system', 'get', 'lease', 'kamaji-controllers', '-o', 'jsonpath={.spec.holderIdentity}'];
    const { code, stdout } = await run('hack/kubectl', args);
    return code === 0 && stdout !== '' ? /^(replica-\d+)-/.exec(stdout)?.[1] : undefined;
  };
  return { all: replicas, store, holder, remove };
}

function newReplica(
  index: number,
  store: StoreServer,
  credentials: { readonly cert: string; readonly key: string },
): Replica {
  const name = `replica-${index}`;
  const port = FIRST_PORT + index;
  const api = new RawApi({ host: ADDRESS, port, ...credentials });
  let child: ChildProcess | undefined;
  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null;

  const start = async (): Promise<void> => {
    const { servers, prefix } = store.config('/kamaji-registry');
    const started = spawn(
      process.execPath,
      [
        join(repositoryRoot, 'src/main.ts'),
        'serve',
        `--kubeconfig=${adminKubeconfig()}`,
        `--bind-address=${ADDRESS}`,
        `--secure-port=${port}`,
        `--etcd-servers=${servers.join(',')}`,
        `--etcd-prefix=${prefix}`,
        '--service=kamaji',
        '--namespace=kamaji-system',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, POD_NAME: name } },
    );
    started.stderr?.pipe(createWriteStream(join(store.folder, `${name}.log`), { flags: 'a' }));
    child = started;
    await eventually(
      `${name} to be ready`,
      async () => {
        if (!isRunning()) throw new Error(`${name} exited; its log is in ${store.folder}`);
        return (await api.ask('/readyz', { timeoutMs: 2_000 })).code === 200 ? true : undefined;
      },
      { timeoutMs: 90_000, intervalMs: 100 },
    );
    await runOk('hack/kubectl', ['apply', '-f', '-'], { input: slice(index, true) });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    if (running === undefined || !isRunning()) return;
    const ended = new Promise<void>((resolve) => void running.once('exit', () => resolve()));
    running.kill(signal);
    const unready = runOk('hack/kubectl', ['apply', '-f', '-'], { input: slice(index, false) });
    await Promise.all([ended, unready]);
  };
  return {
    name,
    api,
    isRunning,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async leads() {
      try {
        const { code, text } = await api.ask('/metrics', { timeoutMs: 5_000 });
        if (code !== 200) return undefined;
        return new RegExp(`^${METRIC}\\{[^}]*\\} 1$`, 'm').test(text);
      } catch (error) {
        if (error instanceof Error && 'code' in error) return undefined;
        throw error;
      }
    },
  };
}
