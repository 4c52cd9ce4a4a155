import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import { stringify } from 'yaml';
import { isStatusError } from '../apimachinery/status.ts';
import type { Status } from '../apimachinery/status.ts';
import { closeAfterAnswer, refuseBody } from './http2-connections.ts';
import { auditOf } from './audit/record.ts';
import type { OutputForm } from './negotiation.ts';
import { negotiateOutput, plainForms, wantsPretty } from './negotiation.ts';
import { chunksOfPieces, lengthOfPieces, textOfPieces, type Piece } from './pieces.ts';
import { findContext } from './request-context.ts';

/** Where every answer with a body leaves the server. */

/** Larger answers are compressed; k8s.io/apiserver/pkg/endpoints/handlers/responsewriters, defaultGzipThresholdBytes. */
const gzipThreshold = 128 * 1024;
const compress = promisify(gzip);

/** An answer's body: ready JSON text, whole or in parts that can be gone through again, or a value still to be written as JSON. */
export type Body = { readonly text: string } | { readonly pieces: Iterable<Piece> } | { readonly value: object };

export interface AnswerOptions {
  /** The answer holds a credential: it is neither cached nor compressed. */
  readonly sensitive?: boolean;
}

/** Does nothing when an answer has already begun (the deadline passed meanwhile) or the client is gone. */
export async function sendBody(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  form: OutputForm,
  body: Body,
  options: AnswerOptions = {},
): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  const context = findContext(request);
  const pretty = form.pretty || (context !== undefined && wantsPretty(context.query, request.headers['user-agent']));
  if ('pieces' in body && form.encoding === 'json' && !pretty) {
    await sendPieces(request, response, code, form, body.pieces);
    return;
  }
  let bytes = Buffer.from(render(form, body, pretty));
  setHead(request, response, code, form, options);
  if (options.sensitive !== true && bytes.length > gzipThreshold && acceptsGzip(request)) {
    bytes = await compress(bytes, { level: constants.Z_BEST_SPEED });
    if (response.headersSent || response.destroyed) return;
    setGzip(response);
  }
  response.setHeader('Content-Length', bytes.length);
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/**
 * A long list leaves in chunks, made while the client takes them: it is in memory only as its parts, and others get their turns
 * in between.
 */
async function sendPieces(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  form: OutputForm,
  pieces: Iterable<Piece>,
): Promise<void> {
  const lines = { [Symbol.iterator]: () => withNewline(pieces) };
  const length = lengthOfPieces(lines);
  const isGzip = length > gzipThreshold && acceptsGzip(request);
  setHead(request, response, code, form, {});
  if (isGzip) setGzip(response);
  else response.setHeader('Content-Length', length);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const signal = findContext(request)?.signal;
  const chunks = chunksOfPieces(lines);
  for await (const chunk of isGzip ? gzipped(chunks) : chunks) {
    if (signal?.aborted === true || response.destroyed) {
      // Half an answer must not look like a whole one.
      response.destroy();
      return;
    }
    if (!response.write(chunk)) await once(response, 'drain', signal === undefined ? {} : { signal });
  }
  response.end();
}

function* withNewline(pieces: Iterable<Piece>): Generator<Piece, void, undefined> {
  yield* pieces;
  yield '\n';
}

/** Compressed off the calling thread. */
function gzipped(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const packed = createGzip({ level: constants.Z_BEST_SPEED });
  // Whoever reads it is told of errors.
  pipeline(Readable.from(chunks, { highWaterMark: 1 }), packed, () => undefined);
  return packed;
}

function setHead(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  form: OutputForm,
  options: AnswerOptions,
): void {
  const context = findContext(request);
  response.statusCode = code;
  response.setHeader('Content-Type', form.contentType);
  if (options.sensitive === true) response.setHeader('Cache-Control', 'no-store');
  else if (context?.isProxied !== true && !response.hasHeader('Cache-Control'))
    response.setHeader('Cache-Control', 'no-cache, private');
  addWarnings(request, response);
}

function setGzip(response: ServerResponse): void {
  response.setHeader('Content-Encoding', 'gzip');
  response.appendHeader('Vary', 'Accept-Encoding');
}

/** Warnings may be added until the answer begins. */
export function addWarnings(request: IncomingMessage, response: ServerResponse): void {
  const headers = findContext(request)?.warnings.headers() ?? [];
  if (headers.length > 0) response.setHeader('Warning', [...headers]);
}

function render(form: OutputForm, body: Body, pretty: boolean): string {
  if (form.encoding === 'yaml') return toYaml('value' in body ? body.value : (JSON.parse(textOf(body)) as object));
  if (!pretty) return `${textOf(body)}\n`;
  // Go's encoder ends compact JSON with a newline, and indented JSON without.
  return JSON.stringify('value' in body ? body.value : JSON.parse(textOf(body)), undefined, 2);
}

export function textOf(body: Body): string {
  if ('value' in body) return JSON.stringify(body.value);
  return 'text' in body ? body.text : textOfPieces(body.pieces);
}

/** Sorted keys, as kube-apiserver writes YAML. */
function toYaml(value: object): string {
  // Through JSON once: what JSON leaves out (undefined) must not turn into null.
  return stringify(JSON.parse(JSON.stringify(value)), {
    version: '1.1',
    sortMapEntries: true,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}

/** Weights are not looked into: `gzip;q=0.5` is not `gzip` (endpoints/handlers/responsewriters, negotiateContentEncoding). */
function acceptsGzip(request: IncomingMessage): boolean {
  return (request.headers['accept-encoding'] ?? '').split(',').some((encoding) => encoding.trim() === 'gzip');
}

function errorForm(accept: string | undefined): OutputForm {
  try {
    return negotiateOutput(accept, plainForms);
  } catch (error) {
    if (isStatusError(error, 'NotAcceptable')) return fallbackForm;
    throw error;
  }
}

/** As kube-apiserver writes a Status to whoever takes no Status (responsewriters, WriteRawJSON). */
const fallbackForm: OutputForm = {
  encoding: 'json',
  contentType: 'application/json',
  convert: undefined,
  pretty: true,
};

/** Errors come as what the client accepts, or as JSON when that cannot be given: it could not read the reason otherwise. */
export async function sendStatus(request: IncomingMessage, response: ServerResponse, status: Status): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  const record = auditOf(findContext(request));
  if (record !== undefined && status.reason !== undefined) record.failure = status.reason;
  const retryAfter = status.details?.retryAfterSeconds;
  if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
  // What is left of a body that is far too large is not worth reading.
  if (status.code === 413 && !request.complete) refuseBody(request, response);
  // Nobody known shall keep a connection for many requests. server/filters, UnauthenticatedHTTP2DOSMitigation.
  if (status.code === 401 && request.httpVersionMajor === 2) closeAfterAnswer(request, response);
  await sendBody(request, response, status.code, errorForm(request.headers.accept), { value: status });
}

/** Plain text, as the health endpoints answer. */
export function sendText(response: ServerResponse, code: number, text: string): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = code;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-cache, private');
  response.end(text);
}
