/** Python's kubernetes client against our API: each case of ./python/clients.py is a test of its own here. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adminKubeconfig, startApiServer } from '../env/api-server.ts';
import { repositoryRoot, runOk } from '../env/run.ts';
import type { CaseResult } from './go-clients.ts';

const cases = await results();

async function results(): Promise<readonly CaseResult[]> {
  const folder = join(repositoryRoot, 'test/clients/python');
  const python = (await runOk('hack/python-venv', [join(folder, 'requirements.txt')], { timeoutMs: 300_000 })).trim();
  const server = await startApiServer();
  try {
    const lines = await runOk(
      join(python, 'bin/python'),
      ['-W', 'error::SyntaxWarning', join(folder, 'clients.py'), adminKubeconfig()],
      {
        timeoutMs: 300_000,
        env: { PYTHONDONTWRITEBYTECODE: '1' },
      },
    );
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CaseResult);
  } finally {
    await server.remove();
  }
}

describe("Python's kubernetes client", () => {
  it('ran all its cases', () => {
    expect(cases.length).toBeGreaterThanOrEqual(12);
  });

  for (const { name, error } of cases) {
    it(name, () => {
      expect(error).toBeUndefined();
    });
  }
});
