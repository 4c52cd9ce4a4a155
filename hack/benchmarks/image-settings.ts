import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../test/env/run.ts';

/** How the image starts our program: flags of node, and variables. */
export interface ImageSettings {
  readonly nodeFlags: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** As the last stage of the Dockerfile says. @throws Error when it no longer says so in a way that we read */
export function imageSettings(): ImageSettings {
  const lines = readFileSync(join(repositoryRoot, 'Dockerfile'), 'utf8').split('\n');
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const entrypoint = stage.find((line) => line.startsWith('ENTRYPOINT '))?.slice('ENTRYPOINT '.length) ?? '[]';
  const command = JSON.parse(entrypoint) as readonly string[];
  if (command[0] !== 'node' || command.at(-1) !== 'dist/main.js')
    throw new Error(`unexpected entrypoint ${entrypoint}`);
  const variables = stage
    .filter((line) => line.startsWith('ENV '))
    .flatMap((line) => line.slice('ENV '.length).split(' '))
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const);
  return { nodeFlags: command.slice(1, -1), variables: Object.fromEntries(variables) };
}
