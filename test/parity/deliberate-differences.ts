/** Where ours means to answer something else than kube-apiserver does for a custom resource. */
export interface DeliberateDifference {
  readonly reason: string;
  readonly cases: readonly string[];
  /** Paths of the difference as the suite prints them: all of them, in every one of the cases. */
  readonly paths: readonly string[];
}

export const deliberateDifferences: readonly DeliberateDifference[] = [];
