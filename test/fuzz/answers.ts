import { parse } from 'yaml';
import type { WireAnswer } from './raw-connection.ts';

interface StatusLike {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly status?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly reason?: unknown;
  readonly details?: {
    readonly causes?: readonly { readonly reason?: unknown }[];
    readonly retryAfterSeconds?: unknown;
  };
}

/** What is wrong with an answer, whatever was asked; undefined when nothing is. */
export function fault(method: string, answer: Pick<WireAnswer, 'code' | 'headers' | 'body'>): string | undefined {
  const { code, headers, body } = answer;
  const type = headers.get('content-type');
  if (code === 304 || method === 'HEAD') return body.length === 0 ? undefined : 'a body where there may be none';
  if (code < 200 || (code >= 300 && code < 400)) return `code ${code}`;
  // What is refused before there is a request: HTTP that is none, headers that are too long, an expectation that nobody knows.
  if (type === undefined)
    return [400, 417, 431].includes(code) && body.length === 0 ? undefined : `${code} without a type`;
  if (code < 300) return wellFormed(type, headers, body);
  const status = readStatus(type, body);
  if (status === undefined) return `${code} that is no Status: ${type} ${body.toString('utf8').slice(0, 300)}`;
  const { kind, apiVersion, message } = status;
  if (kind !== 'Status' || apiVersion !== 'v1' || status.status !== 'Failure') return `${code} of kind ${String(kind)}`;
  if (status.code !== code) return `${code} with a Status that says ${String(status.code)}`;
  if (typeof message !== 'string' || message === '') return `${code} without a message`;
  if (code >= 500 && !isMeant(code, status)) return `${code}: ${message}`;
  return undefined;
}

/**
 * The answers of 5xx that are no fault, because nothing else would be true: a revision that the store has not reached or a time
 * that the client set and that is over; a credential of a tenant that has none to give yet.
 */
function isMeant(code: number, { reason, details }: StatusLike): boolean {
  if (code === 504) return reason === 'Timeout';
  return code === 503 && reason === 'ServiceUnavailable' && typeof details?.retryAfterSeconds === 'number';
}

function readStatus(type: string, body: Buffer): StatusLike | undefined {
  try {
    if (type === 'application/json') return JSON.parse(body.toString('utf8')) as StatusLike;
    if (type === 'application/yaml') return parse(body.toString('utf8')) as StatusLike;
    return undefined;
  } catch {
    return undefined;
  }
}

function wellFormed(type: string, headers: ReadonlyMap<string, string>, body: Buffer): string | undefined {
  if (headers.get('content-encoding') === 'gzip') return undefined;
  if (type.startsWith('text/plain')) return undefined;
  const media = type.split(';', 1)[0];
  if (media === 'application/yaml') return undefined;
  if (media !== 'application/json') return `a success of type ${type}`;
  try {
    // A watch is a line an event.
    for (const line of body.toString('utf8').split('\n'))
      if (line.trim() !== '' && !line.startsWith(' ')) JSON.parse(line);
    return undefined;
  } catch {
    try {
      JSON.parse(body.toString('utf8'));
      return undefined;
    } catch {
      return `a success that is no JSON: ${body.toString('utf8').slice(0, 200)}`;
    }
  }
}
