/** Where ours means to answer something else than kube-apiserver does for a custom resource. */
export interface DeliberateDifference {
  readonly reason: string;
  readonly cases: readonly string[];
  /** Where the answers differ, as the suite prints it, or what everything that differs is below of: in every one of the cases. */
  readonly paths: readonly string[];
}

/** Words that ours leaves out or replaces wherever they are part of an answer. */
export interface DeliberateWording {
  readonly reason: string;
  readonly twin: string;
  readonly ours: string;
}

export const deliberateWordings: readonly DeliberateWording[] = [
  {
    reason: 'No protobuf is spoken: an aggregated group never has to, and its clients take JSON.',
    twin: ', application/vnd.kubernetes.protobuf',
    ours: '',
  },
  {
    reason: 'The address of a variable in the source of kube-apiserver tells a client nothing.',
    twin: ' in scheme "pkg/runtime/scheme.go:111"',
    ours: '',
  },
];

export const deliberateDifferences: readonly DeliberateDifference[] = [];
