import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { run } from '../env/run.ts';

/** One of upstream's tests or one of its cases, by the name that Go gives it. */
export interface UpstreamResult {
  readonly name: string;
  readonly outcome: 'pass' | 'fail' | 'skip';
  /** What it printed. */
  readonly output: string;
}

/** A line of `go test -json` (go doc test2json). */
interface GoEvent {
  readonly Action: string;
  readonly Test?: string;
  readonly Output?: string;
}

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Runs upstream's tests against our server over fresh stores of `driver`. @throws Error when they did not run to their end */
export async function runUpstreamTests(driver: string): Promise<readonly UpstreamResult[]> {
  const server = spawn(process.execPath, [`${folder}server.ts`, driver], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  try {
    const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), ended.then(() => undefined)]);
    if (first === undefined || first.done === true) throw new Error(`the server for ${driver} did not start`);
    const go = await run('go', ['-C', `${folder}adapter`, 'test', '-json', '-count=1', '-timeout=13m', '.'], {
      env: { STORAGE_CONTROL: first.value, GOFLAGS: '-mod=readonly' },
      timeoutMs: 14 * 60_000,
    });
    return readResults(go.stdout, `${go.stderr}\n${go.stdout.slice(-2000)}`);
  } finally {
    server.stdin.end();
    await ended;
  }
}

function readResults(stdout: string, complaint: string): readonly UpstreamResult[] {
  const output = new Map<string, string>();
  const results: UpstreamResult[] = [];
  let isOver = false;
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{')) continue;
    const { Action, Test, Output = '' } = JSON.parse(line) as GoEvent;
    if (Test === undefined) {
      isOver ||= Action === 'pass' || Action === 'fail';
      continue;
    }
    output.set(Test, (output.get(Test) ?? '') + Output);
    if (Action === 'pass' || Action === 'fail' || Action === 'skip') {
      results.push({ name: Test, outcome: Action, output: output.get(Test) ?? '' });
    }
  }
  const unfinished = [...output.keys()].filter((name) => !results.some((result) => result.name === name));
  if (!isOver || results.length === 0 || unfinished.length > 0) {
    throw new Error(`the tests did not run to their end: ${unfinished.join(', ')}\n${complaint}`);
  }
  return results;
}
