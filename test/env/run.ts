import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const repositoryRoot: string = fileURLToPath(new URL('../../', import.meta.url));

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 60,000; the process is killed then and the result has code 124. */
  readonly timeoutMs?: number;
}

/** Runs a program of the repository (`hack/kubectl`) or of the PATH to its end; never throws for a non-zero exit. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const path = program.includes('/') && !program.startsWith('/') ? repositoryRoot + program : program;
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      cwd: repositoryRoot,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 60_000);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({
        code: timedOut ? 124 : (code ?? 1),
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      });
    });
    child.stdin.on('error', () => child.stdin.destroy());
    child.stdin.end(options.input ?? '');
  });
}

/** Like `run`, but throws with both outputs when the program fails. Answers its stdout. */
export async function runOk(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(program, args, options);
  if (result.code !== 0) {
    throw new Error(`${program} ${args.join(' ')} exited with ${result.code}\n${result.stderr}\n${result.stdout}`);
  }
  return result.stdout;
}

/** Asks until `probe` answers something else than undefined; the last failure is told when the time is over. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  options: { readonly timeoutMs?: number; readonly intervalMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  let last: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= deadline) {
      throw new Error(`gave up waiting for ${what}${last instanceof Error ? `: ${last.message}` : ''}`);
    }
    await new Promise((wake) => {
      setTimeout(wake, options.intervalMs ?? 250);
    });
  }
}

export interface FollowedProcess {
  /** Stdout so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Runs a program that does not end by itself. */
export function follow(program: string, args: readonly string[]): FollowedProcess {
  const path = program.includes('/') && !program.startsWith('/') ? repositoryRoot + program : program;
  // A group of its own, so that what a script has started ends with it.
  const child = spawn(path, args, { cwd: repositoryRoot, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    output: () => text,
    stop: async () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid);
      await ended;
    },
  };
}
