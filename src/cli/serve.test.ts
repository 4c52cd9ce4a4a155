import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** The program as a process of its own: what matters is whether and how it ends. */
describe('the program', () => {
  let directory: string;
  let kubeconfig: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kamaji-cli-'));
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // From now on nobody listens there.
    server.close();
    kubeconfig = join(directory, 'kubeconfig');
    await writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'a', cluster: { server: `http://127.0.0.1:${port}` } }],
        users: [{ name: 'a', user: {} }],
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
        'current-context': 'a',
      }),
    );
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function run(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const environment = { ...process.env, KUBERNETES_SERVICE_HOST: '', KUBERNETES_SERVICE_PORT: '' };
    const child = spawn(process.execPath, [MAIN, ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => void (output.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => void (output.stderr += chunk.toString()));
    const killer = setTimeout(() => child.kill('SIGKILL'), 25_000);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(killer);
    return { code, ...output };
  }
  const serve = (...flags: readonly string[]) => run('serve', '--kubeconfig', kubeconfig, ...flags);

  it('ends, with an error, when the admin cluster does not answer at the start', async () => {
    const { code, stderr } = await serve(`--storage=sqlite://${join(directory, 'a.db')}`);
    expect(code).toBe(1);
    expect(stderr).toContain('ECONNREFUSED');
  }, 30_000);

  it('ends, with an error, when its storage cannot be opened', async () => {
    const { code, stderr } = await serve('--storage=sqlite:///dev/null/nowhere/x.db');
    expect(code).toBe(1);
    expect(stderr).toContain('/dev/null/nowhere');
  }, 30_000);

  it.each<[string, readonly string[], RegExp]>([
    ['a storage of no known kind', ['--storage=nonsense'], /--storage: no storage driver for .*known: sqlite:/],
    ['a port that is none', ['--secure-port=0'], /--secure-port must be between 1 and 65535, not 0/],
    ['a flag that nobody knows', ['--nope'], /--nope/],
    ['an argument', ['more'], /more/],
  ])(
    'says what is wrong with %s, and how it is called',
    async (_what, flags, message) => {
      const { code, stderr } = await serve(...flags);
      expect(code).toBe(2);
      expect(stderr).toMatch(message);
      expect(stderr).toContain('usage: kamaji COMMAND');
      expect(stderr).not.toContain('    at ');
    },
    30_000,
  );

  it('says that there is no way to the admin cluster', async () => {
    const { code, stderr } = await run('serve');
    expect(code).toBe(2);
    expect(stderr).toContain('no way to the admin cluster');
    const missing = await run('serve', '--kubeconfig', join(directory, 'missing'));
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain(join(directory, 'missing'));
  }, 30_000);

  it('tells its version and how it is called', async () => {
    expect(await run('version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect((await run('--help')).stdout).toContain('--secure-port');
    expect((await run('serve', '--help')).stdout).toContain('--default-datastore');
    expect(await run()).toMatchObject({ code: 2 });
    expect((await run('fly')).stderr).toContain('unknown command fly');
  }, 30_000);
});
