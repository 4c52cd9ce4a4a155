import type { Resource } from './client.ts';

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

export interface PathParts {
  /** Ignored for cluster-scoped resources; empty: all namespaces, which only collections have. */
  readonly namespace: string;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** URL path of a collection, an object or a subresource. @throws RangeError for what addresses nothing. */
export function resourcePath(resource: Resource, parts: PathParts): string {
  const { namespace, name, subresource } = parts;
  let path = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (resource.namespaced && namespace !== '') path += `/namespaces/${segment(namespace, 'namespace')}`;
  path += `/${resource.plural}`;
  if (name !== undefined) {
    if (resource.namespaced && namespace === '') throw new RangeError(`${resource.kind} ${name} needs a namespace`);
    path += `/${segment(name, 'name')}`;
  }
  if (subresource !== undefined) path += `/${segment(subresource, 'subresource')}`;
  return path;
}

/** Dots would be resolved as a path, and an empty name would address the collection. */
function segment(text: string, what: string): string {
  if (text === '' || text === '.' || text === '..' || text.includes('/') || text.includes('%')) {
    throw new RangeError(`${JSON.stringify(text)} is not a ${what}`);
  }
  return encodeURIComponent(text);
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export function withQuery(path: string, query: Query): string {
  let separator = path.includes('?') ? '&' : '?';
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    path += `${separator}${name}=${encodeURIComponent(value)}`;
    separator = '&';
  }
  return path;
}
