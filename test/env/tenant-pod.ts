import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { KubeObject } from '../../src/apimachinery/object.ts';
import type { Container, Volume } from '../../src/tenancy/api/core-types.generated.ts';
import { adminClusterComponents } from '../../src/tenancy/provisioning/admin-cluster/all.ts';
import type { ConfigMap, Deployment, Secret } from '../../src/tenancy/provisioning/admin-cluster/objects.ts';
import type { TenantInput } from '../../src/tenancy/provisioning/tenant-input.ts';
import { builtProgram } from './etcd.ts';

/**
 * Runs the containers of a tenant's Deployment without a kubelet: each in a root of its own that holds the program, the
 * files of its volumes and nothing else, read-only, as the user and group that the Deployment names, without privileges.
 */
export interface TenantPod {
  /** Starts a container; `extra` arguments come last and win. */
  start(container: ContainerName, extra?: readonly string[]): Promise<ContainerProcess>;
  /** Ends all of it and removes the folder. */
  remove(): Promise<void>;
}

export interface ContainerProcess {
  readonly startedAtMs: number;
  /** Undefined while it runs. */
  exitCode(): number | undefined;
  log(): Promise<string>;
  stop(): Promise<void>;
}

export type ContainerName = 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'konnectivity-server';

const PROGRAMS: Readonly<Record<ContainerName, string>> = {
  'kube-apiserver': 'kube-apiserver',
  'kube-controller-manager': 'kube-controller-manager',
  'kube-scheduler': 'kube-scheduler',
  'konnectivity-server': 'proxy-server',
};

export async function createTenantPod(input: TenantInput): Promise<TenantPod> {
  const folder = await mkdtemp(join(tmpdir(), 'kamaji-pod-'));
  await chmod(folder, 0o755);
  const objects = adminClusterComponents.flatMap((component) => component.desired(input));
  const deployment = objects.find((object): object is Deployment => object.kind === 'Deployment');
  if (deployment === undefined) throw new Error('there is no Deployment');
  const pod = deployment.spec.template.spec;
  const group = pod.securityContext.fsGroup ?? 0;
  for (const volume of pod.volumes ?? [])
    await materialize(volume, objects, join(folder, 'volumes', volume.name), group);
  const processes: ContainerProcess[] = [];

  return {
    async start(name, extra = []) {
      const container = pod.containers.find((candidate) => candidate.name === name);
      if (container === undefined) throw new Error(`the pod has no container ${name}`);
      const process = await startContainer(folder, container, await builtProgram(PROGRAMS[name]), extra);
      processes.push(process);
      return process;
    },
    async remove() {
      await Promise.all(processes.map((process) => process.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function materialize(
  volume: Volume,
  objects: readonly KubeObject[],
  folder: string,
  group: number,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (volume.emptyDir !== undefined) return chmod(folder, 0o777);
  for (const source of volume.projected?.sources ?? []) {
    const [kind, projection] =
      source.secret === undefined ? ['ConfigMap', source.configMap] : ['Secret', source.secret];
    const object = objects.find((candidate) => candidate.kind === kind && candidate.metadata.name === projection?.name);
    if (object === undefined)
      throw new Error(`volume ${volume.name} asks for ${kind} ${projection?.name}, which is not there`);
    for (const { key, path } of projection?.items ?? []) {
      const value = (object as Secret | ConfigMap).data[key];
      if (value === undefined) throw new Error(`${kind} ${projection?.name} has no ${key}`);
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, kind === 'Secret' ? Buffer.from(value, 'base64') : value);
      await chown(file, 0, group);
      await chmod(file, volume.projected?.defaultMode ?? 0o644);
    }
  }
}

/** `root user group no-new-privileges mounts... -- command...`, each mount as `source:target:mode`. */
const RUNNER = `set -eu
root=$1 user=$2 group=$3 nnp=$4; shift 4
mount -t tmpfs tmpfs "$root"
while [ "$1" != -- ]; do
  IFS=: read -r source target mode <<MOUNT
$1
MOUNT
  if [ -d "$source" ]; then mkdir -p "$root$target"; else mkdir -p "$root$(dirname "$target")"; : >"$root$target"; fi
  mount --bind "$source" "$root$target"
  [ "$mode" = rw ] || mount -o remount,bind,ro "$root$target"
  shift
done
shift
mkdir -p "$root/proc"
mount --rbind /proc "$root/proc"
mount -o remount,ro "$root"
exec setpriv $nnp unshare --root="$root" --wd=/ --setgid="$group" --setuid="$user" "$@"
`;

async function startContainer(
  folder: string,
  container: Container,
  program: string,
  extra: readonly string[],
): Promise<ContainerProcess> {
  const root = join(folder, 'roots', container.name);
  await mkdir(root, { recursive: true });
  const security = container.securityContext;
  if (security?.readOnlyRootFilesystem !== true) throw new Error(`${container.name} has a writable root`);
  const mounts = [
    `${program}:/bin/program:ro`,
    ...(container.volumeMounts ?? []).map(
      ({ name, mountPath, readOnly }) =>
        `${join(folder, 'volumes', name)}:${mountPath}:${readOnly === true ? 'ro' : 'rw'}`,
    ),
  ];
  const logFile = join(folder, `${container.name}.log`);
  const log = createWriteStream(logFile, { flags: 'a' });
  const startedAtMs = performance.now();
  const child: ChildProcess = spawn(
    'unshare',
    [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      RUNNER,
      'run',
      root,
      String(security.runAsUser ?? 0),
      String(security.runAsGroup ?? 0),
      security.allowPrivilegeEscalation === false ? '--no-new-privs' : '',
      ...mounts,
      '--',
      '/bin/program',
      ...(container.args ?? []),
      ...extra,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } },
  );
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    startedAtMs,
    exitCode: () => child.exitCode ?? (child.signalCode === null ? undefined : 128),
    log: () => readFile(logFile, 'utf8'),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}
