import type { ResourceDefinition } from '../../src/apiserver/registry/definition.ts';

/**
 * What upstream's storage tests store: the Pod of k8s.io/apiserver/pkg/apis/example. Any content is accepted, because those
 * tests know only a key and bytes, no schema and no rules of a kind.
 */
const pods: ResourceDefinition = {
  group: 'example.apiserver.k8s.io',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  strategy: {},
  printerColumns: [],
  subresources: {},
};

/** The same without namespaces, for the tests of cluster-scoped kinds. */
const nodes: ResourceDefinition = {
  ...pods,
  kind: 'ClusterPod',
  plural: 'clusterpods',
  singular: 'clusterpod',
  namespaced: false,
};

export const podDefinitions: readonly ResourceDefinition[] = [pods, nodes];
