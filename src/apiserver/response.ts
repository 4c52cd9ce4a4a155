import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { stringify } from 'yaml';
import { isStatusError } from '../apimachinery/status.ts';
import type { Status } from '../apimachinery/status.ts';
import { auditOf } from './audit/record.ts';
import type { FormRules, OutputForm } from './negotiation.ts';
import { negotiateOutput, wantsPretty } from './negotiation.ts';
import { findContext } from './request-context.ts';

/** Where every answer with a body leaves the server. */

/** Larger answers are compressed; k8s.io/apiserver/pkg/endpoints/handlers/responsewriters, defaultGzipThresholdBytes. */
const gzipThreshold = 128 * 1024;
const compress = promisify(gzip);

/** An answer's body: ready JSON text, or a value still to be written as JSON. */
export type Body = { readonly text: string } | { readonly value: object };

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
  let bytes = Buffer.from(render(form, body, pretty));
  response.statusCode = code;
  response.setHeader('Content-Type', form.contentType);
  if (options.sensitive === true) response.setHeader('Cache-Control', 'no-store');
  else if (context?.isProxied !== true && !response.hasHeader('Cache-Control'))
    response.setHeader('Cache-Control', 'no-cache, private');
  addWarnings(request, response);
  if (options.sensitive !== true && bytes.length > gzipThreshold && acceptsGzip(request)) {
    bytes = await compress(bytes, { level: constants.Z_BEST_SPEED });
    if (response.headersSent || response.destroyed) return;
    response.setHeader('Content-Encoding', 'gzip');
    response.appendHeader('Vary', 'Accept-Encoding');
  }
  response.setHeader('Content-Length', bytes.length);
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** Warnings may be added until the answer begins. */
export function addWarnings(request: IncomingMessage, response: ServerResponse): void {
  const headers = findContext(request)?.warnings.headers() ?? [];
  if (headers.length > 0) response.setHeader('Warning', [...headers]);
}

function render(form: OutputForm, body: Body, pretty: boolean): string {
  if (form.encoding === 'yaml') return toYaml('value' in body ? body.value : (JSON.parse(body.text) as object));
  if (!pretty) return `${'text' in body ? body.text : JSON.stringify(body.value)}\n`;
  return `${JSON.stringify('value' in body ? body.value : JSON.parse(body.text), undefined, 2)}\n`;
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

function acceptsGzip(request: IncomingMessage): boolean {
  return /(^|,)\s*gzip\s*(;|,|$)/.test(request.headers['accept-encoding'] ?? '');
}

function errorForm(accept: string | undefined): OutputForm {
  try {
    return { ...negotiateOutput(accept, anyForm), convert: undefined };
  } catch (error) {
    if (isStatusError(error, 'NotAcceptable')) return jsonForm;
    throw error;
  }
}

const anyForm: FormRules = { conversions: ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] };
const jsonForm: OutputForm = { encoding: 'json', contentType: 'application/json', convert: undefined, pretty: false };

/** Errors come as what the client accepts, or as JSON when that cannot be given: it could not read the reason otherwise. */
export async function sendStatus(request: IncomingMessage, response: ServerResponse, status: Status): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  const record = auditOf(findContext(request));
  if (record !== undefined && status.reason !== undefined) record.failure = status.reason;
  const retryAfter = status.details?.retryAfterSeconds;
  if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
  // What is left of a body that is far too large is not worth reading.
  if (status.code === 413 && !request.complete) response.setHeader('Connection', 'close');
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
