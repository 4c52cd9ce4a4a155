import type { IncomingMessage, ServerResponse } from 'node:http';
import { newMethodNotSupported, newNotFound, newUnknownPath } from '../apimachinery/status.ts';
import { handleConnect } from './handlers/connect.ts';
import { handleCreate } from './handlers/create.ts';
import { handleDelete, handleDeleteCollection } from './handlers/delete.ts';
import type { Endpoint, Handler } from './handlers/exchange.ts';
import { newExchange } from './handlers/exchange.ts';
import { handleGet } from './handlers/get.ts';
import { handleList } from './handlers/list.ts';
import { handlePatch } from './handlers/patch.ts';
import { handleGetScale, handlePatchScale, handleUpdateScale } from './handlers/scale.ts';
import { handleUpdate } from './handlers/update.ts';
import { handleWatch } from './handlers/watch.ts';
import type { ResourceDefinition } from './registry/definition.ts';
import type { Resource } from './registry/resource.ts';
import { contextOf } from './request-context.ts';
import type { RequestInfo } from './request-info.ts';

/** From a request to the handler of its verb. */

type Methods = Readonly<Record<string, Handler>>;

const collection: Methods = { GET: handleList, POST: handleCreate, DELETE: handleDeleteCollection };
const acrossNamespaces: Methods = { GET: handleList };
const object: Methods = { GET: handleGet, PUT: handleUpdate, PATCH: handlePatch, DELETE: handleDelete };
const status: Methods = { GET: handleGet, PUT: handleUpdate, PATCH: handlePatch };
const scale: Methods = { GET: handleGetScale, PUT: handleUpdateScale, PATCH: handlePatchScale };

export function endpointKey(group: string, version: string, resource: string): string {
  return `${group}/${version}/${resource}`;
}

/** @throws StatusError (404, 405) for what is not served, and whatever the handler throws */
export async function dispatch(
  endpoints: ReadonlyMap<string, Endpoint>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { info } = contextOf(request);
  const endpoint = endpoints.get(endpointKey(info.group, info.version, info.resource));
  if (endpoint === undefined) throw newUnknownPath();
  const methods = methodsFor(endpoint.resource.definition, info);
  if (methods === undefined) throw unknownBelow(endpoint.resource, info);
  // What a GET would have answered, without its body.
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler === undefined) throw newMethodNotSupported(endpoint.resource.groupResource, info.verb);
  await (handler === handleList && info.verb === 'watch' ? handleWatch : handler)(
    newExchange(request, response, endpoint),
  );
}

/** kube-apiserver tells of a subresource that a custom resource does not have as if the object were missing. */
function unknownBelow({ definition, groupResource }: Resource, info: RequestInfo): Error {
  const isInPlace = definition.namespaced === (info.namespace !== '');
  return isInPlace && info.subresource !== '' && info.parts.length === 3
    ? newNotFound(groupResource, info.name)
    : newUnknownPath();
}

function methodsFor(definition: ResourceDefinition, info: RequestInfo): Methods | undefined {
  const [, name = '', subresource = '', ...more] = info.parts;
  if (more.length > 0 || (name === '' && info.parts.length > 1)) return undefined;
  if (!definition.namespaced && info.namespace !== '') return undefined;
  const isAcross = definition.namespaced && info.namespace === '';
  if (name === '') return isAcross ? acrossNamespaces : collection;
  if (isAcross) return undefined;
  if (info.parts.length === 2) return object;
  return subresourceMethods(definition, subresource);
}

function subresourceMethods(definition: ResourceDefinition, name: string): Methods | undefined {
  const { subresources } = definition;
  if (name === 'status') return subresources.status === true ? status : undefined;
  if (name === 'scale') return subresources.scale === undefined ? undefined : scale;
  const connect = subresources.connect?.find((candidate) => candidate.name === name);
  if (connect === undefined) return undefined;
  const methods: Record<string, Handler> = {};
  for (const verb of connect.verbs)
    methods[verb === 'get' ? 'GET' : 'POST'] = (exchange) => handleConnect(exchange, connect, verb);
  return methods;
}
