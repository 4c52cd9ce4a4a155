import { spawn } from 'node:child_process';
import { repositoryRoot, run } from '../../env/run.ts';
import { isJsonObject } from '../../../src/apimachinery/json.ts';
import type { Background, Command, Side, Step } from './flow.ts';
import { TWIN_GROUP } from './sides.ts';

/** What one command said. */
export interface Answer {
  readonly command: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A kubectl of one version. */
export interface Kubectl {
  readonly program: string;
  readonly kubeconfig: string;
  /** Of its own: clusters of other test runs have the same address. */
  readonly cacheFolder: string;
}

/** The marker in the command line at which a transcript of a wrong exit code breaks off. */
export class WrongOutcome extends Error {}

/**
 * Runs the steps one after the other and answers what kubectl said, normalised.
 * @throws WrongOutcome when a command ends with another exit code than its step says, or does not say what it should
 */
export async function transcript(kubectl: Kubectl, side: Side, steps: readonly Step[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const step of steps) {
    if ('background' in step) answers.push(...(await runBackground(kubectl, side, step)));
    else answers.push(await runCommand(kubectl, side, step));
  }
  return answers;
}

async function runCommand(kubectl: Kubectl, side: Side, step: Command): Promise<Answer> {
  const result = await run(kubectl.program, fullArgs(kubectl, side, step.args), {
    ...(step.stdin === undefined ? {} : { input: step.stdin }),
    // Short-lived: collecting garbage would be a third of its work.
    env: { KUBECONFIG: kubectl.kubeconfig, GOGC: 'off', ...step.env },
  });
  const told = `kubectl ${step.args.join(' ')}\n(exit code ${result.code})\n${result.stdout}\n${result.stderr}`;
  if (result.code !== (step.code ?? 0))
    throw new WrongOutcome(`${side.group}: not exit code ${step.code ?? 0}: ${told}`);
  if (step.says !== undefined && !step.says.test(result.stdout + result.stderr)) {
    throw new WrongOutcome(`${side.group}: does not say ${String(step.says)}: ${told}`);
  }
  const shape = (text: string): string => {
    const normal = normalise(text, side);
    return step.unordered === true ? normal.split('\n').sort().join('\n') : normal;
  };
  return {
    command: normalise(step.args.join(' '), side),
    code: result.code,
    // kubectl prints what the server sent as it came: the order of keys means nothing.
    stdout: step.args.includes('--raw') ? sortedJson(shape(result.stdout)) : shape(result.stdout),
    stderr: shape(result.stderr),
  };
}

async function runBackground(kubectl: Kubectl, side: Side, step: Background): Promise<readonly Answer[]> {
  const child = spawn(kubectl.program, fullArgs(kubectl, side, step.background), {
    cwd: repositoryRoot,
    env: { ...process.env, KUBECONFIG: kubectl.kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let code: number | null | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<void>((resolve) => {
    child.once('close', (status) => {
      code = status;
      resolve();
    });
  });
  const shows = async (what: string, isSo: () => boolean): Promise<void> => {
    const deadline = Date.now() + 30_000;
    for (;;) {
      if (isSo() || code !== undefined) return;
      if (Date.now() > deadline) {
        const said = `${stdout}\n${stderr}`;
        throw new WrongOutcome(`${side.group}: kubectl ${step.background.join(' ')} never ${what}: ${said}`);
      }
      await pause(50);
    }
  };
  try {
    const { ready, until } = step;
    if (ready === undefined) await pause(1_000);
    else await shows(`showed ${String(ready)}`, () => ready.test(stdout));
    const answers: Answer[] = [];
    for (const during of step.during) answers.push(await runCommand(kubectl, side, during));
    await shows(`showed ${String(until ?? 'its end')}`, () => until?.test(normalise(stdout, side)) === true);
    if (until === undefined && code !== 0) {
      throw new WrongOutcome(
        `${side.group}: kubectl ${step.background.join(' ')} ended with ${String(code)}: ${stderr}`,
      );
    }
    const said = normalise(stdout, side);
    const cut = until === undefined ? undefined : until.exec(said);
    return [
      ...answers,
      {
        command: normalise(step.background.join(' '), side),
        code: 0,
        stdout: cut === undefined ? said : said.slice(0, (cut?.index ?? 0) + (cut?.[0].length ?? 0)),
        stderr: normalise(stderr, side),
      },
    ];
  } finally {
    child.kill();
    await ended;
  }
}

function fullArgs(kubectl: Kubectl, side: Side, args: readonly string[]): readonly string[] {
  const options = [`--cache-dir=${kubectl.cacheFolder}`];
  if (!args.includes('--raw') && !args.some((arg) => arg.startsWith('-n=') || arg === '-A'))
    options.push(`-n=${side.namespace}`);
  return [...options, ...args];
}

/** What differs between any two objects, or between our group and the twin's, becomes the same text. */
export function normalise(text: string, side: Side): string {
  return (
    text
      // What a client-go inside of kubectl logs about a watch whose time is up depends on the moment.
      .replaceAll(/^[EWI]\d{4} \S+ +\d+ reflector\.go:.*\n/gm, '')
      .replaceAll(side.folder, 'FOLDER')
      .replaceAll(side.namespace, 'NAMESPACE')
      .replaceAll(TWIN_GROUP, 'kamaji.io')
      .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UID')
      .replaceAll(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| [+-]\d{4}(?: UTC)?)?/g, 'TIME')
      .replaceAll(/("?resourceVersion"?: ?"?)\d+/gi, '$1REVISION')
      .replaceAll(/(resource version to be \d+, was )\d+/g, '$1REVISION')
      .replaceAll(/(Resource Version: +)\d+/g, '$1REVISION')
      .replaceAll(/\/tmp\/(LIVE|MERGED)-\d+/g, '/tmp/$1')
      .replaceAll(/\/tmp\/kubectl-(?:\S+-)?edit-\d+\.yaml/g, '/tmp/EDIT')
      .replaceAll(/(?<=\s)\d+m?\d*s(?=\s|$)/g, 'AGE')
      // A mistake of the client is a 400 of ours, and a 500 without a reason of kube-apiserver's.
      .replaceAll(
        'Error from server (BadRequest): failed to create typed patch',
        'Error from server: failed to create typed patch',
      )
      // A whole object as the value of a field, in whatever order of keys.
      .replaceAll(/Invalid value: "\{.*\}"/g, 'Invalid value: OBJECT')
      // Columns are as wide as the names in them.
      .replaceAll(/(?<=\S) {2,}/g, '  ')
      .replaceAll(/-{5,}/g, '-----')
  );
}

/** JSON with sorted keys; any other text as it is. */
function sortedJson(text: string): string {
  if (!text.startsWith('{')) return text;
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    isJsonObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
