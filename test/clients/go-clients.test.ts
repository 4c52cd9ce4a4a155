/** client-go and controller-runtime against our API: each case of ./go is a test of its own here. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startApiServer } from '../env/api-server.ts';
import { buildGoClients, runGoClients, type CaseResult } from './go-clients.ts';

const { plain, streaming } = await results();

/** All cases once, and those of informers again with lists that are streamed. */
async function results(): Promise<Readonly<Record<'plain' | 'streaming', readonly CaseResult[]>>> {
  const folder = await mkdtemp(join(tmpdir(), 'kamaji-go-clients-'));
  const program = await buildGoClients(folder);
  // Nobody waits for its successor here.
  const server = await startApiServer(['--shutdown-delay=0s']);
  try {
    const run = process.env['GO_CLIENTS_RUN'];
    const only = run === undefined ? {} : { run };
    return {
      plain: await runGoClients(program, server, { watchList: false, ...only }),
      streaming: await runGoClients(program, server, { watchList: true, run: '^informer', ...only }),
    };
  } finally {
    await server.remove();
    await rm(folder, { recursive: true });
  }
}

describe.each([
  ['client-go and controller-runtime', plain, 72],
  ['client-go with WatchListClient', streaming, 14],
] as const)('%s', (_, cases, atLeast) => {
  it('ran all its cases', () => {
    expect(cases.length).toBeGreaterThanOrEqual(process.env['GO_CLIENTS_RUN'] === undefined ? atLeast : 1);
  });

  for (const { name, error } of cases) {
    it(name, () => {
      expect(error).toBeUndefined();
    });
  }
});
