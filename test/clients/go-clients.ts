import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createInterface } from 'node:readline';
import { adminKubeconfig, type ApiServerProcess } from '../env/api-server.ts';
import { repositoryRoot, runOk } from '../env/run.ts';

/** What the Go program says of one case. */
export interface CaseResult {
  readonly name: string;
  /** What was wrong; undefined when nothing was. */
  readonly error?: string;
  readonly ms: number;
}

type Line = CaseResult | { readonly ask: string };

export interface GoClientsOptions {
  /** client-go's feature gate WatchListClient: informers stream their lists. */
  readonly watchList: boolean;
  /** Only cases whose names match this. */
  readonly run?: string;
}

/** Builds the program of ./go into `folder` and answers its path. */
export async function buildGoClients(folder: string): Promise<string> {
  const program = join(folder, 'go-clients');
  await runOk(
    'nice',
    ['-n', '5', 'go', 'build', '-C', join(repositoryRoot, 'test/clients/go'), '-mod=readonly', '-o', program, '.'],
    {
      env: { GOWORK: 'off' },
      timeoutMs: 900_000,
    },
  );
  return program;
}

/**
 * Runs the cases, and does to the server what they ask for in between.
 * @throws Error when the program does not come to its end
 */
export async function runGoClients(
  program: string,
  server: ApiServerProcess,
  { watchList, run = '' }: GoClientsOptions,
): Promise<readonly CaseResult[]> {
  const child = spawn(program, ['-kubeconfig', adminKubeconfig(), '-run', run], {
    env: { ...process.env, KUBE_FEATURE_WatchListClient: String(watchList) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 600_000);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const results: CaseResult[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as Line;
    if ('ask' in line) {
      await answer(server, line.ask);
      child.stdin.write('\n');
    } else {
      results.push(line);
    }
  }
  clearTimeout(timer);
  const code = await ended;
  if (code !== 0) throw new Error(`the Go clients ended with ${String(code)} after ${results.length} cases: ${stderr}`);
  return results;
}

async function answer(server: ApiServerProcess, ask: string): Promise<void> {
  await server.stop();
  const forget = /^forget (\S+) in (\S+)$/.exec(ask);
  if (forget !== null) forgetOffline(server, `${forget[2]}/${forget[1]}`);
  else if (ask !== 'restart') throw new Error(`the Go clients ask for ${ask}`);
  // The aggregation layer may have seen that the server was away, and answers 503 until it has seen it again.
  await server.start();
}

/** What is in the store when an object was deleted and compaction has gone over it, while nobody was connected. */
function forgetOffline(server: ApiServerProcess, object: string): void {
  const db = new DatabaseSync(join(server.folder, 'kamaji.db'));
  try {
    const rows = db.prepare("SELECT key FROM current WHERE key LIKE '%/' || ?").all(object);
    if (rows.length !== 1) throw new Error(`there are ${rows.length} objects ${object}`);
    const key = String(rows[0]!['key']);
    db.prepare('DELETE FROM current WHERE key = ?').run(key);
    db.prepare('DELETE FROM claims WHERE key = ?').run(key);
    db.exec('DELETE FROM history; UPDATE state SET revision = revision + 1; UPDATE state SET compacted = revision;');
  } finally {
    db.close();
  }
}
