import { readFile } from 'node:fs/promises';

/** The version in package.json, which lies beside the folder of the program in the repository and in the image. */
export async function productVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
