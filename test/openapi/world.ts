import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResourceDefinition } from '../../src/apiserver/registry/definition.ts';
import { allResources } from '../../src/tenancy/resources/all.ts';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { kubeconfigCredentials, openClusterApi, openOwnPort, type RawApi } from '../env/raw-api.ts';
import { eventually, run } from '../env/run.ts';
import { installTwins, TWIN_GROUP } from '../env/twin-crd.ts';

export const OWN_DOCUMENT = '/openapi/v3/apis/kamaji.io/v1alpha1';
export const TWIN_DOCUMENT = `/openapi/v3/apis/${TWIN_GROUP}/v1alpha1`;
export const PROTOBUF_V2 = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

/** Our kinds; what answers with other kinds is left out, because a CustomResourceDefinition has nothing like it. */
export const definitions: readonly ResourceDefinition[] = allResources({ tenantControlPlaneConnect: [] });

/** Our API server behind kube-apiserver, beside the twins of its kinds. */
export interface World {
  readonly server: ApiServerProcess;
  /** The cluster's administrator at kube-apiserver. */
  readonly cluster: RawApi;
  /** The same at our own port. */
  readonly own: RawApi;
  close(): Promise<void>;
}

/** Returns when the cluster publishes our kinds and their twins in both versions of OpenAPI. */
export async function openWorld(): Promise<World> {
  const server = await startApiServer();
  await installTwins(definitions);
  const cluster = await openClusterApi();
  const own = openOwnPort(await kubeconfigCredentials());
  await eventually(
    'the cluster to publish both groups',
    async () => {
      const { text } = await cluster.ask('/openapi/v2');
      const isMerged = ['io.kamaji.v1alpha1', 'io.kamaji.twin.v1alpha1'].every((prefix) =>
        definitions.every(({ kind }) => text.includes(`"${prefix}.${kind}"`)),
      );
      if (!isMerged) return undefined;
      const twin = await cluster.ask(TWIN_DOCUMENT);
      const isWhole =
        twin.code === 200 && definitions.every(({ kind }) => twin.text.includes(`"io.kamaji.twin.v1alpha1.${kind}"`));
      return isWhole && (await cluster.ask(OWN_DOCUMENT)).code === 200 ? true : undefined;
    },
    // kube-apiserver asks once a minute, and again a minute after a failure.
    { timeoutMs: 150_000, intervalMs: 500 },
  );
  return {
    server,
    cluster,
    own,
    close: async () => {
      cluster.close();
      own.close();
      await server.remove();
    },
  };
}

/** A folder for documents that a program is to read; removed with `remove`. */
export async function documentFolder(): Promise<{
  readonly path: string;
  write(name: string, content: string | Buffer): Promise<string>;
  remove(): Promise<void>;
}> {
  const path = await mkdtemp(join(tmpdir(), 'kamaji-openapi-'));
  return {
    path,
    write: async (name, content) => {
      const file = join(path, name);
      await writeFile(file, content);
      return file;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

export interface Verdict {
  readonly name: string;
  /** Empty for a pass. */
  readonly error: string;
}

/** What the judge of `test/openapi/judge` says. @throws Error when it fails itself */
export async function verdictsOf(...args: readonly string[]): Promise<readonly Verdict[]> {
  const program = ['-C', 'test/openapi/judge', 'run', '.', ...args];
  const { code, stdout, stderr } = await run('go', program, { timeoutMs: 600_000 });
  if (code !== 0) throw new Error(`the judge failed: ${stderr}`);
  const verdicts = JSON.parse(stdout) as readonly Verdict[];
  if (verdicts.length === 0) throw new Error('the judge judged nothing');
  return verdicts;
}
