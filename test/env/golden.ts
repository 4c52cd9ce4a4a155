import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { stringify } from 'yaml';
import { expect } from 'vitest';

/**
 * Compares objects with the YAML file at `file`, which lies beside the test. UPDATE_GOLDEN=1 writes the file instead; what
 * it wrote is for a person to read before it is committed.
 */
export async function expectGolden(objects: readonly object[], file: URL): Promise<void> {
  const text = objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
  if (process.env['UPDATE_GOLDEN'] === '1') {
    await mkdir(new URL('.', file), { recursive: true });
    await writeFile(file, text);
  }
  const name = basename(file.pathname);
  const golden = await readFile(file, 'utf8').catch(() => `there is no ${name} yet\n`);
  expect(text, `${name}; UPDATE_GOLDEN=1 accepts the change`).toBe(golden);
}
