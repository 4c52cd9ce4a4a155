/**
 * A case of the parity suite as data: the requests, and nothing about their answers. What kube-apiserver answers for the twin is what
 * ours has to answer.
 *
 * In paths, headers and bodies these stand for what differs from case to case or from side to side:
 * `$G` the group of the product's kinds, `$R` that of the rich kinds, `$NAME` a name of the case's own, `$NS` its namespace,
 * `${x.rv}`, `${x.uid}`, `${x.continue}`, `${x.name}`, `${x.time}` what the answer saved as `x` said in its metadata.
 */
export interface ParityCase {
  readonly name: string;
  readonly steps: readonly Step[];
  /** A namespace that no other case uses; for cases that look at whole collections. */
  readonly ownNamespace?: boolean;
}

export type Step = RequestStep | WatchStep;

/** Null takes a header away that is sent otherwise. */
export type Headers = Readonly<Record<string, string | readonly string[] | null>>;

export interface RequestStep {
  readonly type: 'request';
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  /** Text and bytes go as they are, all else as JSON. */
  readonly body?: unknown;
  /** Remembers the metadata of the answer under this name. */
  readonly save?: string;
  /** Only prepares: has to succeed on both sides, and is not compared. */
  readonly isSetup?: boolean;
}

export interface WatchStep {
  readonly type: 'watch';
  readonly path: string;
  readonly headers: Headers;
  /** Sent one after the other once the stream is open. */
  readonly during: readonly RequestStep[];
  /** How many frames to wait for before closing; without it, until the server ends the stream. */
  readonly frames?: number;
}

export const MERGE = 'application/merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';
export const APPLY = 'application/apply-patch+yaml';
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
export const PARTIAL = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
export const PARTIAL_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

export function parity(name: string, ...steps: readonly Step[]): ParityCase {
  return { name, steps };
}

/** A case with a namespace of its own. */
export function parityIn(name: string, ...steps: readonly Step[]): ParityCase {
  return { name, steps, ownNamespace: true };
}

export function send(method: string, path: string, body?: unknown, headers: Headers = {}): RequestStep {
  return { type: 'request', method, path, headers, ...(body === undefined ? {} : { body }) };
}

export const get = (path: string, headers: Headers = {}): RequestStep => send('GET', path, undefined, headers);
export const post = (path: string, body: unknown, headers: Headers = {}): RequestStep =>
  send('POST', path, body, headers);
export const put = (path: string, body: unknown, headers: Headers = {}): RequestStep =>
  send('PUT', path, body, headers);
export const remove = (path: string, body?: unknown, headers: Headers = {}): RequestStep =>
  send('DELETE', path, body, headers);
export const merge = (path: string, body: unknown, headers: Headers = {}): RequestStep =>
  send('PATCH', path, body, { 'Content-Type': MERGE, ...headers });
export const jsonPatch = (path: string, body: unknown, headers: Headers = {}): RequestStep =>
  send('PATCH', path, body, { 'Content-Type': JSON_PATCH, ...headers });
export const apply = (path: string, body: unknown, headers: Headers = {}): RequestStep =>
  send('PATCH', path, body, { 'Content-Type': APPLY, ...headers });

export const setup = (step: RequestStep): RequestStep => ({ ...step, isSetup: true });
export const saved = (save: string, step: RequestStep): RequestStep => ({ ...step, save });

/** Closes after `frames`, or with `until: 'end'` when the server does. */
export function watch(
  path: string,
  frames: number | 'end',
  during: readonly RequestStep[] = [],
  headers: Headers = {},
): WatchStep {
  return { type: 'watch', path, headers, during, ...(frames === 'end' ? {} : { frames }) };
}
