/** docs/operations.md against the program: flags, metrics and links. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { BACKUP_OPTIONS, RESTORE_OPTIONS } from '../../src/cli/backup.ts';
import { SERVE_OPTIONS } from '../../src/cli/serve-flags.ts';
import { readSource } from './source.ts';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const operations = readFileSync(`${docs}operations.md`, 'utf8');

test.each(Object.keys(SERVE_OPTIONS))('the flag --%s of serve has its row', (flag) => {
  expect(operations).toMatch(new RegExp(`^\\| \`--${flag}\` \\|`, 'm'));
});

test('no flag is told that does not exist', () => {
  const known = new Set([SERVE_OPTIONS, BACKUP_OPTIONS, RESTORE_OPTIONS].flatMap((options) => Object.keys(options)));
  const told = [...operations.matchAll(/^\| `--([\w-]+)` \|/gm)].map((match) => match[1] ?? '');
  expect(told.filter((flag) => !known.has(flag))).toEqual([]);
});

test('every metric is told', () => {
  const code = readSource().filter((file) => !file.isTest);
  const names = code.flatMap(({ text }) =>
    [...text.matchAll(/(?:\.(?:counter|gauge|histogram)\(|metrics\?\.\w+\()\s*'([a-z][a-z0-9_]+)'/g)].map(
      (match) => match[1] ?? '',
    ),
  );
  expect(names.length).toBeGreaterThan(8);
  expect([...new Set(names)].filter((name) => !operations.includes(`\`${name}\``))).toEqual([]);
});

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replace(/\s/g, '-');

test.each(readdirSync(docs).filter((name) => name.endsWith('.md')))(
  'links of %s to headings lead somewhere',
  (name) => {
    const text = readFileSync(docs + name, 'utf8');
    const links = [...text.matchAll(/\]\(([\w./-]*\.md)?#([\w-]+)\)/g)];
    for (const [, file = name, anchor] of links) {
      const headings = [...readFileSync(docs + file, 'utf8').matchAll(/^#+ (.+)$/gm)].map((match) =>
        anchorOf(match[1] ?? ''),
      );
      expect(headings).toContain(anchor);
    }
  },
);
