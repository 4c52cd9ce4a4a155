import { newUnauthorized } from '../../apimachinery/status.ts';

/** Name in lower case, and value in UTF-8. */
export type HeaderPair = readonly [name: string, value: string];

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Headers one by one, as they came: never joined, since values may hold commas. Node gives bytes as Latin-1.
 * @throws StatusError (401) when a value that is asked for is not UTF-8
 */
export function selectHeaders(rawHeaders: readonly string[], wanted: (name: string) => boolean): readonly HeaderPair[] {
  const found: HeaderPair[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (wanted(name)) found.push([name, decodeUtf8(rawHeaders[index + 1]!)]);
  }
  return found;
}

function decodeUtf8(value: string): string {
  try {
    return utf8.decode(Buffer.from(value, 'latin1'));
  } catch {
    // Two names that differ only in bytes that are no text must not become one.
    throw newUnauthorized();
  }
}

/** The token of the one `Authorization: Bearer` header; undefined when there is none. @throws StatusError (401) when there are several */
export function bearerToken(rawHeaders: readonly string[]): string | undefined {
  const values = selectHeaders(rawHeaders, (name) => name === 'authorization');
  if (values.length > 1) throw newUnauthorized();
  const match = /^\s*bearer +(\S+)\s*$/i.exec(values[0]?.[1] ?? '');
  return match?.[1];
}
