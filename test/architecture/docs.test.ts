/** What the documents name exists. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../env/run.ts';

const documents = ['README.md', ...globSync('docs/**/*.md', { cwd: repositoryRoot })];
const ROOTS = 'src|test|hack|docs|apiservice|webhooks|manifests';

function namedPaths(document: string): readonly string[] {
  const text = readFileSync(join(repositoryRoot, document), 'utf8');
  const inCode = [...text.matchAll(new RegExp(`\`((?:\\./)?(?:${ROOTS})/[\\w./-]*)(?: [^\`]*)?\``, 'g'))];
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
  return [
    ...inCode.map((match) => match[1] ?? ''),
    ...links.map((match) => join(dirname(document), match[1] ?? '')),
  ].filter((path) => !/\d{4}-$/.test(path));
}

describe.each(documents)('%s', (document) => {
  it('names files and folders that exist', () => {
    const missing = namedPaths(document).filter((path) => !existsSync(join(repositoryRoot, path)));
    expect(missing).toEqual([]);
  });
});
