/**
 * Where our documents are meant to differ from those that kube-apiserver publishes for a custom resource with the same schema,
 * each with its reason. An entry that no longer occurs fails the test.
 */
export interface DeliberateDifference {
  /** JSON pointer patterns of places in the document. */
  readonly at: RegExp;
  readonly reason: string;
}

const subresources: DeliberateDifference = {
  at: /^\/paths\/~1apis~1kamaji\.io~1v1alpha1~1.*~1\{name\}~1(kubeconfig|join-token)$/,
  reason: 'subresources that answer with another kind; a custom resource cannot have them',
};
const deletions: DeliberateDifference = {
  at: /^\/paths\/[^/]+(planes|stores|generators)\/delete\/(parameters|requestBody)$/,
  reason:
    'kube-apiserver takes a body and the options of a deletion for a collection of custom resources, but tells so only of its own kinds',
};
const shards: DeliberateDifference = {
  at: /^\/paths\/[^/]+(planes|stores|generators)\/(get\/)?parameters$/,
  reason: 'shardSelector is alpha, behind a gate that is off, and not offered by us',
};

export const differencesV3: readonly DeliberateDifference[] = [
  subresources,
  deletions,
  shards,
  {
    at: /^\/components\/schemas\/io\.kamaji\.v1alpha1\.TenantControlPlane(Kubeconfig|JoinToken)(Request)?$/,
    reason: 'what those subresources take and answer',
  },
  {
    at: /^\/components\/schemas\/io\.k8s\.apimachinery\.pkg\.apis\.meta\.v1\.DeleteOptions\/x-kubernetes-group-version-kind$/,
    reason:
      'the groups in whose words a deletion can be asked for: the core group and ours, not those of kube-apiserver',
  },
  { at: /^\/info\/(title|version)$/, reason: 'the name and the version of the program' },
];

export const differencesV2: readonly DeliberateDifference[] = [
  subresources,
  deletions,
  shards,
  {
    at: /^\/definitions\/io\.kamaji\.v1alpha1\.TenantControlPlane(Kubeconfig|JoinToken)(Request)?$/,
    reason: 'what those subresources take and answer',
  },
];
