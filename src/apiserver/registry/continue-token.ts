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
  const afterKey = start.endsWith('\u0000') ? start.slice(0, -1) : start;
  if (afterKey.startsWith('/') || afterKey.split('/').some((part) => part === '.' || part === '..'))
    throw invalid(start);
  return { revision: rv, afterKey };
}

function parse(text: string): { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown } {
  if (!/^[A-Za-z0-9_-]*={0,2}$/.test(text)) throw invalid('illegal base64 data');
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
