import { createHash } from 'node:crypto';
import type { ResourceDefinition } from '../registry/definition.ts';

/** What discovery tells about one resource or subresource, in both of its formats. */
export interface DiscoveredResource {
  /** `widgets` or `widgets/status`. */
  readonly name: string;
  readonly definition: ResourceDefinition;
  readonly subresource: string;
  readonly verbs: readonly string[];
  /** What requests take and answers hold. */
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
}

/** One group with its versions, newest first. */
export interface DiscoveredGroup {
  readonly group: string;
  readonly versions: readonly DiscoveredVersion[];
}

export interface DiscoveredVersion {
  readonly version: string;
  readonly resources: readonly DiscoveredResource[];
}

const mainVerbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'] as const;
const partVerbs = ['get', 'patch', 'update'] as const;

export function discoverGroups(definitions: readonly ResourceDefinition[]): readonly DiscoveredGroup[] {
  const groups = new Map<string, Map<string, DiscoveredResource[]>>();
  for (const definition of [...definitions].sort((a, b) => (a.plural < b.plural ? -1 : 1))) {
    const versions = groups.get(definition.group) ?? new Map<string, DiscoveredResource[]>();
    groups.set(definition.group, versions);
    versions.set(definition.version, [...(versions.get(definition.version) ?? []), ...discover(definition)]);
  }
  return [...groups].map(([group, versions]) => ({
    group,
    versions: [...versions].map(([version, resources]) => ({ version, resources })),
  }));
}

function discover(definition: ResourceDefinition): readonly DiscoveredResource[] {
  const { group, version, kind, plural, subresources } = definition;
  const own = { group, version, kind };
  const found: DiscoveredResource[] = [{ name: plural, definition, subresource: '', verbs: mainVerbs, kind: own }];
  const add = (subresource: string, verbs: readonly string[], answered: DiscoveredResource['kind']): void => {
    found.push({ name: `${plural}/${subresource}`, definition, subresource, verbs, kind: answered });
  };
  if (subresources.status === true) add('status', partVerbs, own);
  if (subresources.scale !== undefined) add('scale', partVerbs, { group: 'autoscaling', version: 'v1', kind: 'Scale' });
  for (const connect of subresources.connect ?? []) add(connect.name, connect.verbs, connect.responseKind);
  return found;
}

/** Go: the upper-case hexadecimal SHA-512 of the document (k8s.io/apiserver/pkg/endpoints/discovery/aggregated/etag.go). */
export function etagOf(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase();
}
