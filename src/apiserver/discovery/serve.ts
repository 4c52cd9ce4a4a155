import type { IncomingMessage, ServerResponse } from 'node:http';
import { newNotAcceptable } from '../../apimachinery/status.ts';
import { negotiateOutput, parseAccept, plainForms } from '../negotiation.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import { contextOf } from '../request-context.ts';
import { sendBody } from '../response.ts';
import type { AggregatedDocument } from './documents.ts';
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList } from './documents.ts';
import { discoverGroups } from './group.ts';

type AggregatedVersion = 'v2' | 'v2beta1';

/** Discovery out of memory: its answers must not depend on storage, cluster or network. */
export class Discovery {
  readonly #legacy = new Map<string, string>();
  readonly #aggregated: Readonly<Record<AggregatedVersion, AggregatedDocument>>;

  constructor(definitions: readonly ResourceDefinition[]) {
    const groups = discoverGroups(definitions);
    this.#aggregated = { v2: aggregatedDiscovery(groups, 'v2'), v2beta1: aggregatedDiscovery(groups, 'v2beta1') };
    this.#legacy.set('/apis', JSON.stringify(apiGroupList(groups)));
    for (const group of groups) {
      this.#legacy.set(`/apis/${group.group}`, JSON.stringify(apiGroup(group)));
      for (const version of group.versions) {
        this.#legacy.set(
          `/apis/${group.group}/${version.version}`,
          JSON.stringify(apiResourceList(group.group, version)),
        );
      }
    }
  }

  /** False when the path is none of discovery's. @throws StatusError (406) */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const path = contextOf(request).info.path.replace(/\/+$/, '');
    const text = this.#legacy.get(path);
    if (text === undefined) return false;
    const { accept } = request.headers;
    const version = path === '/apis' ? aggregatedVersion(accept) : undefined;
    if (version !== undefined) await this.#serveAggregated(version, request, response);
    else await sendBody(request, response, 200, negotiateOutput(accept, plainForms), { text });
    return true;
  }

  async #serveAggregated(
    version: AggregatedVersion,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { text, etag } = this.#aggregated[version];
    response.setHeader('Vary', 'Accept');
    response.setHeader('ETag', `"${etag}"`);
    response.setHeader('Cache-Control', 'public');
    if (matchesEtag(request.headers['if-none-match'], etag)) {
      response.statusCode = 304;
      response.end();
      return;
    }
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    await sendBody(
      request,
      response,
      200,
      { encoding: 'json', contentType, convert: undefined, pretty: false },
      { text },
    );
  }
}

/** The aggregated format that is preferred over the plain one, if any. @throws StatusError (406) when neither is accepted */
function aggregatedVersion(accept: string | undefined): AggregatedVersion | undefined {
  if (accept === undefined || accept === '') return undefined;
  for (const { type, subtype, params } of parseAccept(accept)) {
    const isJson = (type === 'application' && (subtype === 'json' || subtype === '*')) || type === '*';
    if (params.has('as')) {
      const version = params.get('v');
      const isDiscovery = params.get('g') === 'apidiscovery.k8s.io' && params.get('as') === 'APIGroupDiscoveryList';
      if (isJson && isDiscovery && (version === 'v2' || version === 'v2beta1')) return version;
    } else if (isJson || subtype === 'yaml') return undefined;
  }
  throw newNotAcceptable(['application/json', 'application/yaml']);
}

/** An `If-None-Match` header against one strong tag. */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((part) => part.trim().replace(/^W\//, '') === `"${etag}"` || part.trim() === '*');
}
