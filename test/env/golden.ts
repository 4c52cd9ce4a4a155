import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { stringify } from 'yaml';
import { expect } from 'vitest';

/**
 * Compares objects with the YAML file at `url`, which lies beside the test. UPDATE_GOLDEN=1 writes the file instead; what
 * it wrote is then read by a person and committed.
 */
export async function expectGolden(objects: readonly object[], url: URL): Promise<void> {
  const text = objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
  if (process.env['UPDATE_GOLDEN'] === '1') {
    await writeFile(url, text);
    return;
  }
  const golden = await readFile(url, 'utf8').catch(
    () => `(there is no ${basename(url.pathname)}; set UPDATE_GOLDEN=1)`,
  );
  expect(text, `${basename(url.pathname)}; UPDATE_GOLDEN=1 accepts the change`).toBe(golden);
}
