import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runOk } from '../env/run.ts';
import { crdOf, subjects } from './subjects.ts';
import type { Result, Sequence } from './writes.ts';

const buildTimeoutMs = 10 * 60_000;

/**
 * Upstream's own field manager in a process beside us. Answers come in the order of the questions, whose times must not go
 * back: a clock does not.
 */
export class Oracle {
  readonly #program: string;
  /** To be removed with the program in it. */
  #folder: string | undefined;
  readonly #process: ChildProcess;
  readonly #waiting: { resolve(results: readonly Result[]): void; reject(error: Error): void }[] = [];
  #ended: Error | undefined;

  private constructor(program: string) {
    this.#program = program;
    this.#process = spawn(program, ['-test.run=TestServe', '-test.timeout=0'], {
      stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
    });
    const end = (reason: string) => {
      this.#ended ??= new Error(`the oracle has ended: ${reason}`);
      for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#ended);
    };
    this.#process.on('error', (error) => end(error.message));
    this.#process.on('exit', (code, signal) => end(`exit code ${code}, signal ${signal}`));
    this.#process.stdin!.on('error', (error) => end(error.message));
    createInterface({ input: this.#process.stdio[3] as Readable }).on('line', (line) => {
      this.#waiting.shift()?.resolve(JSON.parse(line) as readonly Result[]);
    });
    const crds = Object.fromEntries(Object.entries(subjects).map(([name, subject]) => [name, crdOf(subject)]));
    this.#send({ crds });
  }

  /** Builds the program, which needs Go, and starts it. */
  static async start(): Promise<Oracle> {
    const folder = await mkdtemp(`${tmpdir()}/kamaji-apply-`);
    const source = fileURLToPath(new URL('oracle', import.meta.url));
    const program = `${folder}/oracle`;
    await runOk('go', ['-C', source, 'test', '-c', '-o', program, '.'], { timeoutMs: buildTimeoutMs });
    const oracle = new Oracle(program);
    oracle.#folder = folder;
    return oracle;
  }

  /** A second process, whose clock stands at the beginning. */
  another(): Oracle {
    return new Oracle(this.#program);
  }

  /** What each write of the sequence gave. */
  ask(sequence: Sequence): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#send(sequence);
    });
  }

  #send(value: object): void {
    (this.#process.stdin as Writable).write(`${JSON.stringify(value)}\n`);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.stdin!.end();
      await exited;
    }
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}
