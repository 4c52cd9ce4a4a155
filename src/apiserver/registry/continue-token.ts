import { DecodeError, decodeJson } from '../../apimachinery/json-text.ts';
import { isJsonObject } from '../../apimachinery/json.ts';
import type { Json } from '../../apimachinery/object.ts';
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
  const { v = '', rv = 0, start = '' } = parse(text);
  if (v !== tokenVersion) throw invalid(`server does not recognize this encoded version ${v}`);
  if (rv === 0) throw invalid('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (start === '') throw invalid('encoded start key empty (version meta.k8s.io/v1)');
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

interface Fields {
  readonly v?: string;
  readonly rv?: number;
  readonly start?: string;
}

function parse(text: string): Fields {
  const odd = text.search(/[^A-Za-z0-9_-]/);
  if (odd >= 0) throw invalid(`illegal base64 data at input byte ${odd}`);
  const value = parseJson(Buffer.from(text, 'base64url').toString());
  if (value === null) return {};
  if (!isJsonObject(value)) throw invalid(mismatch(value, 'value', 'storage.continueToken'));
  for (const [name, type] of [
    ['v', 'string'],
    ['rv', 'int64'],
    ['start', 'string'],
  ] as const) {
    const field = value[name] ?? undefined;
    if (field === undefined) continue;
    const fits = type === 'string' ? typeof field === 'string' : Number.isSafeInteger(field);
    if (!fits) throw invalid(mismatch(field, `struct field continueToken.${name}`, type));
  }
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}

function parseJson(text: string): Json {
  try {
    return decodeJson(text).value;
  } catch (error) {
    if (error instanceof DecodeError) throw invalid(error.message);
    throw error;
  }
}

/** In the words of encoding/json. */
function mismatch(value: Json, where: string, type: string): string {
  const sent = Array.isArray(value) ? 'array' : typeof value === 'number' ? `number ${value}` : typeof value;
  const of = where === 'value' ? `value of type ${type}` : `${where} of type ${type}`;
  return `json: cannot unmarshal ${sent === 'boolean' ? 'bool' : sent} into Go ${of}`;
}

function invalid(why: string): Error {
  return newBadRequest(`invalid continue token: continue key is not valid: ${why}`);
}
