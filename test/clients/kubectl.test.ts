/** Four versions of kubectl: whatever a user types, our API and a CRD of the same schema answer alike. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminKubeconfig, startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { openClusterApi, type RawApi } from '../env/raw-api.ts';
import { runOk } from '../env/run.ts';
import { applied, command, type Flow } from './kubectl/flow.ts';
import { READ_FLOWS } from './kubectl/flows-read.ts';
import { WRITE_FLOWS } from './kubectl/flows-write.ts';
import { namespacesOf, openSides, type Sides } from './kubectl/sides.ts';
import { transcript, type Kubectl } from './kubectl/transcript.ts';

const FLOWS: readonly Flow[] = [...READ_FLOWS, ...WRITE_FLOWS];
const VERSIONS = ['v1.32.13', 'v1.34.8', 'v1.36.3', 'v1.37.2'] as const;
/** Of namespaces that no other run has made. */
const RUN = Date.now().toString(36).slice(-5);
const label = (version: string, index: number): string => `${version.replaceAll('.', '-')}-${index}-${RUN}`;

let server: ApiServerProcess;
let api: RawApi;
let sides: Sides;
let binaries: string;
let cache: string;

beforeAll(async () => {
  server = await startApiServer();
  api = await openClusterApi();
  sides = await openSides(api);
  binaries = (await runOk('hack/bin-dir', [])).trim();
  cache = await mkdtemp(join(tmpdir(), 'kamaji-kubectl-cache-'));
  const items = VERSIONS.flatMap((version) =>
    [...FLOWS.keys(), FLOWS.length]
      .flatMap((index) => namespacesOf(label(version, index)))
      .map((name) => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      })),
  );
  await runOk('hack/kubectl', ['create', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    timeoutMs: 120_000,
  });
});
afterAll(async () => {
  api?.close();
  await server?.remove();
  await sides?.close();
  if (cache !== undefined) await rm(cache, { recursive: true });
});

describe.each(VERSIONS)('kubectl %s', (version) => {
  const kubectl = (): Kubectl => ({
    program: join(binaries, version === 'v1.36.3' ? 'kubectl' : `kubectl-${version}`),
    kubeconfig: adminKubeconfig(),
    cacheFolder: join(cache, version),
  });

  it('is that version', async () => {
    expect(await runOk(kubectl().program, ['version', '--client'])).toContain(`Client Version: ${version}`);
  });

  // The twin has no such subresource.
  it.concurrent('get --subresource=kubeconfig of a tenant that has not come so far', async ({ expect }) => {
    const [ours] = await sides.both(label(version, FLOWS.length));
    const name = `young-${version.replaceAll('.', '-')}`;
    const answers = await transcript(kubectl(), ours, [
      applied(ours.tenant(name)),
      command(`get ${ours.resource} ${name} --subresource=kubeconfig -o yaml`, { code: 1, says: /ServiceUnavailable/ }),
      command(`get ${ours.resource} nobody --subresource=kubeconfig -o yaml`, { code: 1, says: /NotFound/ }),
      command(`get ${ours.resource} ${name} --subresource=kubeconfig --as=stranger`, { code: 1, says: /Forbidden/ }),
    ]);
    expect(answers[1]?.stderr).toContain(`the control plane of ${name} is not provisioned yet`);
    expect(answers[1]?.stdout).toBe('');
  });

  for (const [index, flow] of FLOWS.entries()) {
    it.concurrent(flow.name, async ({ expect }) => {
      const [ours, twins] = await sides.both(label(version, index));
      const expected = await transcript(kubectl(), twins, flow.steps(twins));
      expect(await transcript(kubectl(), ours, flow.steps(ours))).toEqual(expected);
    });
  }
});
