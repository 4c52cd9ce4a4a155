import type { IncomingMessage, ServerResponse } from 'node:http';
import { newNotAcceptable } from '../../apimachinery/status.ts';
import { matchesEtag } from '../discovery/serve.ts';
import { etagOf } from '../discovery/group.ts';
import { parseAccept } from '../negotiation.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import { contextOf } from '../request-context.ts';
import { sendBody } from '../response.ts';
import { openApiV2, openApiV3 } from './documents.ts';

interface Document {
  readonly text: string;
  readonly etag: string;
}

const yearSeconds = 31_536_000;

/** `/openapi/v2` and `/openapi/v3`, written once when the server is made. k8s.io/kube-openapi/pkg/handler, handler3. */
export class OpenApi {
  readonly #documents = new Map<string, Document>();

  /** @throws Error for a definition that would break the documents of the cluster */
  constructor(definitions: readonly ResourceDefinition[], version: string) {
    this.#documents.set('/openapi/v2', newDocument(openApiV2(definitions, version)));
    const paths: Record<string, object> = {};
    for (const [groupVersion, own] of Map.groupBy(
      definitions,
      (definition) => `${definition.group}/${definition.version}`,
    )) {
      const document = newDocument(openApiV3(own, version));
      this.#documents.set(`/openapi/v3/apis/${groupVersion}`, document);
      // Only what is ours: the cluster merges these lists without looking, and the last one wins.
      paths[`apis/${groupVersion}`] = { serverRelativeURL: `/openapi/v3/apis/${groupVersion}?hash=${document.etag}` };
    }
    this.#documents.set('/openapi/v3', newDocument({ paths }));
  }

  /** False when the path is none of OpenAPI's. @throws StatusError (406) */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { info, query, receivedAtMs } = contextOf(request);
    const document = this.#documents.get(info.path.replace(/\/+$/, ''));
    if (document === undefined) return false;
    if (!acceptsJson(request.headers.accept)) throw newNotAcceptable(['application/json']);
    response.setHeader('Vary', 'Accept');
    response.setHeader('ETag', `"${document.etag}"`);
    // A stale hash gets the current document: kube-openapi would redirect, which the aggregator turns into 502.
    if (query.get('hash') === document.etag) {
      response.setHeader('Cache-Control', 'public, immutable');
      response.setHeader('Expires', new Date(receivedAtMs + yearSeconds * 1000).toUTCString());
    } else {
      response.setHeader('Cache-Control', 'no-cache, private');
    }
    if (matchesEtag(request.headers['if-none-match'], document.etag)) {
      response.statusCode = 304;
      response.end();
      return true;
    }
    const form = { encoding: 'json', contentType: 'application/json', convert: undefined, pretty: false } as const;
    await sendBody(request, response, 200, form, { text: document.text });
    return true;
  }
}

function newDocument(value: object): Document {
  const text = JSON.stringify(value);
  return { text, etag: etagOf(text) };
}

function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === '') return true;
  return parseAccept(accept).some(
    ({ type, subtype }) => type === '*' || (type === 'application' && (subtype === 'json' || subtype === '*')),
  );
}
