import { createHash } from 'node:crypto';
import type { DiscoveredGroup, DiscoveredResource, DiscoveredVersion } from './group.ts';
import { etagOf } from './group.ts';

/** The documents of discovery, made once: k8s.io/apimachinery meta/v1 (legacy) and k8s.io/api/apidiscovery (aggregated). */

export interface VersionReference {
  readonly groupVersion: string;
  readonly version: string;
}

function references(group: DiscoveredGroup): readonly VersionReference[] {
  return group.versions.map(({ version }) => ({ groupVersion: `${group.group}/${version}`, version }));
}

function groupFields(group: DiscoveredGroup): object {
  const versions = references(group);
  return { name: group.group, versions, preferredVersion: versions[0] };
}

/** `/apis/<group>` */
export function apiGroup(group: DiscoveredGroup): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupFields(group) };
}

/** `/apis` for clients that know no aggregated discovery. */
export function apiGroupList(groups: readonly DiscoveredGroup[]): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupFields) };
}

/** `/apis/<group>/<version>` */
export function apiResourceList(group: string, version: DiscoveredVersion): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${group}/${version.version}`,
    resources: version.resources.map((resource) => apiResource(group, version.version, resource)),
  };
}

function apiResource(group: string, version: string, resource: DiscoveredResource): object {
  const { definition, kind, verbs, subresource } = resource;
  const isOwn = kind.group === group && kind.version === version;
  return {
    name: resource.name,
    singularName: subresource === '' ? definition.singular : '',
    namespaced: definition.namespaced,
    // An empty group would mean that of the list.
    ...(isOwn ? {} : { ...(kind.group === '' ? {} : { group: kind.group }), version: kind.version }),
    kind: kind.kind,
    verbs,
    ...(subresource === '' ? { ...names(resource), storageVersionHash: storageVersionHash(kind) } : {}),
  };
}

/** Changes when the stored form of a kind does. k8s.io/apiserver/pkg/endpoints/discovery/storageversionhash.go. */
function storageVersionHash({ group, version, kind }: DiscoveredResource['kind']): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}

function names(resource: DiscoveredResource): object {
  const { shortNames, categories } = resource.definition;
  return {
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
}

export interface AggregatedDocument {
  readonly text: string;
  readonly etag: string;
}

/** `/apis` in the aggregated form; `formatVersion` is that of the format, not of the API. */
export function aggregatedDiscovery(
  groups: readonly DiscoveredGroup[],
  formatVersion: 'v2' | 'v2beta1',
): AggregatedDocument {
  const text = JSON.stringify({
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${formatVersion}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { name: group.group, creationTimestamp: null },
      versions: group.versions.map((version) => ({
        version: version.version,
        resources: version.resources
          .filter(({ subresource }) => subresource === '')
          .map((main) => aggregatedResource(main, version)),
        freshness: 'Current',
      })),
    })),
  });
  return { text, etag: etagOf(text) };
}

function aggregatedResource(main: DiscoveredResource, version: DiscoveredVersion): object {
  const { definition } = main;
  const parts = version.resources.filter((other) => other.definition === definition && other.subresource !== '');
  return {
    resource: definition.plural,
    responseKind: main.kind,
    scope: definition.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: definition.singular,
    verbs: main.verbs,
    ...names(main),
    ...(parts.length === 0
      ? {}
      : {
          subresources: parts.map((part) => ({
            subresource: part.subresource,
            responseKind: part.kind,
            verbs: part.verbs,
          })),
        }),
  };
}
