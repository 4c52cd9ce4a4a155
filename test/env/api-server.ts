import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, repositoryRoot, run, runOk } from './run.ts';

/** The admin machine's address in the network namespace of `hack/up`; these tests run inside that namespace. */
const ADMIN_ADDRESS = '10.240.0.1';
const PORT = 8443;

const BACKEND = `apiVersion: v1
kind: Namespace
metadata: { name: kamaji-system }
---
apiVersion: v1
kind: Service
metadata: { name: kamaji, namespace: kamaji-system }
spec:
  ports: [{ name: https, port: 443, targetPort: ${PORT}, protocol: TCP }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: kamaji-process, namespace: kamaji-system, labels: { kubernetes.io/service-name: kamaji } }
addressType: IPv4
endpoints: [{ addresses: ["${ADMIN_ADDRESS}"], conditions: { ready: true } }]
ports: [{ name: https, port: ${PORT}, protocol: TCP }]
`;

export interface ApiServerProcess {
  /** Folder of the database, the log and whatever a test keeps. */
  readonly folder: string;
  /** Of the running process; undefined while it is stopped. */
  pid(): number | undefined;
  /** Ends it with `signal` and waits for that. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /**
   * Starts it again on the same data and waits until it answers: behind the aggregation layer, which may take half a minute to
   * notice, or on its own port.
   */
  start(where?: 'api-service' | 'own-port'): Promise<void>;
  /** Stops it and removes the folder. */
  remove(): Promise<void>;
}

/** Path of the admin cluster's kubeconfig, as `hack/up` made it. */
export function adminKubeconfig(): string {
  const state = process.env['KAMAJI_STATE'];
  if (state === undefined) throw new Error('KAMAJI_STATE is not set: run these tests through hack/test integration');
  return join(state, 'kubeconfig', 'admin.conf');
}

/** Whether the server says on its own port that it is ready. Rejects while nobody listens. */
function isReady(): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const probe = get(
    { host: ADMIN_ADDRESS, port: PORT, path: '/readyz', agent: false, rejectUnauthorized: false },
    (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    },
  );
  probe.on('error', reject);
  return promise;
}

/**
 * Runs our API server as a process behind the real aggregation layer, and waits until its APIService is Available.
 * Its controllers are off: there is no node to run anything on. `flags` come after those of `serve` that are set here, and win.
 * `program`: what Node is to run, with Node's own flags before it.
 */
export async function startApiServer(
  flags: readonly string[] = [],
  program: readonly string[] = [join(repositoryRoot, 'src/main.ts')],
): Promise<ApiServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'kamaji-integration-'));
  await runOk('hack/kubectl', ['apply', '-f', '-'], { input: BACKEND });
  await runOk('hack/kubectl', ['apply', '-k', 'apiservice']);
  let child: ChildProcess | undefined;

  const start = async (where: 'api-service' | 'own-port' = 'api-service'): Promise<void> => {
    const log = createWriteStream(join(folder, 'server.log'), { flags: 'a' });
    child = spawn(
      process.execPath,
      [
        ...program,
        'serve',
        `--kubeconfig=${adminKubeconfig()}`,
        `--bind-address=${ADMIN_ADDRESS}`,
        `--secure-port=${PORT}`,
        `--storage=sqlite://${join(folder, 'kamaji.db')}`,
        '--service=kamaji',
        '--namespace=kamaji-system',
        '--controllers=false',
        ...flags,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    child.stderr?.pipe(log);
    const started = child;
    await eventually(
      'the API server to be ready',
      async () => {
        if (started.exitCode !== null) {
          throw new Error(`the API server exited with ${started.exitCode}; its log is ${join(folder, 'server.log')}`);
        }
        return (await isReady()) ? true : undefined;
      },
      { timeoutMs: 60_000, intervalMs: 25 },
    );
    if (where === 'own-port') return;
    // A change makes the cluster look at once; by itself it looks for a server that was away only every half minute.
    await runOk('hack/kubectl', [
      'annotate',
      'apiservice/v1alpha1.kamaji.io',
      '--overwrite',
      `test.kamaji.io/started=${Date.now()}`,
    ]);
    await eventually('the APIService to be Available', async () => {
      const answer = await run('hack/kubectl', [
        'get',
        '--raw',
        '/apis/kamaji.io/v1alpha1/tenantcontrolplanes?limit=1',
      ]);
      return answer.code === 0 ? true : undefined;
    });
  };

  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    await new Promise<void>((resolve) => {
      running.once('exit', () => resolve());
      running.kill(signal);
    });
  };

  await start();
  return {
    folder,
    pid: () => child?.pid,
    start,
    stop,
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
