import { isJsonObject } from '../../apimachinery/json.ts';
import { newBadRequest } from '../../apimachinery/status.ts';

/** Where a paged list goes on. k8s.io/apiserver/pkg/storage/continue.go. */
export interface ContinueToken {
  /** Revision the list is as of; -1: whatever is newest. */
  readonly revision: number;
  /** Key behind which to go on, relative to the collection's prefix. */
  readonly afterKey: string;
}

const tokenVersion = 'meta.k8s.io/v1';

export function encodeContinue(token: ContinueToken): string {
  const json = JSON.stringify({ v: tokenVersion, rv: token.revision, start: `${token.afterKey}\u0000` });
  return Buffer.from(json).toString('base64url');
}

/** @throws StatusError (400) */
export function decodeContinue(text: string): ContinueToken {
  const { v, rv, start } = parse(text);
  if (v !== tokenVersion) throw invalid('server does not recognize this encoded version');
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0)
    throw invalid('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof start !== 'string' || start === '') throw invalid('encoded start key empty (version meta.k8s.io/v1)');
  const key = start.startsWith('/') ? start.slice(1) : start;
  if (key.split('/').some((part) => part === '' || part === '.' || part === '..')) throw invalid(start);
  return { revision: rv, afterKey: key.endsWith('\u0000') ? key.slice(0, -1) : keyBefore(key) };
}

/** A key behind which `key` is the next one: none of an object lies between them, because no name has the last code point in it. */
function keyBefore(key: string): string {
  const points = Array.from(key, (character) => character.codePointAt(0)!);
  const last = points.pop()!;
  // The surrogates are no code points of their own: step over them.
  const previous = last === 0xe000 ? 0xd7ff : last - 1;
  return String.fromCodePoint(...points, previous, 0x10ffff);
}

function parse(text: string): { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown } {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw invalid('illegal base64 data');
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalid('no JSON object inside');
}

function invalid(why: string): Error {
  return newBadRequest(`invalid continue token: continue key is not valid: ${why}`);
}
