import { newBadRequest } from '../apimachinery/status.ts';
import { parseFieldSelector } from '../apimachinery/field-selector.ts';
import { checkPathSegment } from '../apimachinery/names.ts';

/** What a URL and a method mean. The twin of k8s.io/apiserver/pkg/endpoints/request, RequestInfo. */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  /** Decoded path. */
  readonly path: string;
  /** `get`, `list`, `watch`, `create`, ...; the lower-cased method for non-resource requests; empty for methods without a verb. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  /** Also set for a list or watch whose field selector names one object. */
  readonly name: string;
  /** Segments from the resource on: resource, name, subresource, and what is too much. */
  readonly parts: readonly string[];
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

const verbsWithSelectors: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection']);

/** @throws StatusError (400) for a path that is no valid percent-encoding. */
export function parseRequestInfo(method: string, rawPath: string, query: URLSearchParams): RequestInfo {
  const path = decodePath(rawPath);
  const segments = path.replace(/^\/+|\/+$/g, '').split('/');
  const [prefix, group, version, ...rest] = segments;
  if (prefix !== 'apis' || rest.length === 0 || group === undefined || version === undefined) {
    return { ...emptyInfo, path, verb: method.toLowerCase() };
  }
  const namespaced = rest[0] === 'namespaces' && rest.length > 2;
  const parts = namespaced ? rest.slice(2) : rest;
  const [resource = '', name = '', subresource = ''] = parts;
  const verb = verbs[method] ?? '';
  const info = {
    isResourceRequest: true,
    path,
    verb,
    group,
    version,
    namespace: namespaced ? (rest[1] ?? '') : '',
    resource,
    name,
    subresource,
    parts,
  };
  if (name !== '') return info;
  if (verb === 'get')
    return withSelectors({ ...info, verb: isWatch(query) ? 'watch' : 'list', name: selectedName(query) }, query);
  if (verb === 'delete') return withSelectors({ ...info, verb: 'deletecollection' }, query);
  return info;
}

const emptyInfo = {
  isResourceRequest: false,
  group: '',
  version: '',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  parts: [],
};

function decodePath(rawPath: string): string {
  try {
    return decodeURIComponent(rawPath);
  } catch (error) {
    if (error instanceof URIError) throw newBadRequest('invalid URL escape in the path');
    throw error;
  }
}

/** Anything but `false` and `0` counts, as in kube-apiserver's own fallback; the list handler judges the value later. */
function isWatch(query: URLSearchParams): boolean {
  const value = query.get('watch');
  return value !== null && value.toLowerCase() !== 'false' && value !== '0';
}

function selectedName(query: URLSearchParams): string {
  const text = query.get('fieldSelector');
  if (text === null || text === '') return '';
  try {
    const name = parseFieldSelector(text).exactMatch('metadata.name') ?? '';
    return checkPathSegment(name).length === 0 ? name : '';
  } catch {
    // The list handler parses again and refuses with the reason; here it only means that no name is known.
    return '';
  }
}

function withSelectors(info: RequestInfo, query: URLSearchParams): RequestInfo {
  if (!verbsWithSelectors.has(info.verb)) return info;
  const fieldSelector = query.get('fieldSelector');
  const labelSelector = query.get('labelSelector');
  return {
    ...info,
    ...(fieldSelector === null ? {} : { fieldSelector }),
    ...(labelSelector === null ? {} : { labelSelector }),
  };
}
