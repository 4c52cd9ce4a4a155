import type { Condition, KubeObject } from '../apimachinery/object.ts';

/** The one shape of everything that we deploy: what should exist, and how to tell that it works. Both are pure. */
export interface Component<I> {
  readonly name: string;
  readonly cluster: 'admin' | 'tenant';
  /** Objects that should exist; an empty list means that none of this component's may. */
  desired(input: I): readonly KubeObject[];
  /** Judges the live objects, in the order of `desired`. Absent: ready once applied. */
  ready?(live: readonly KubeObject[], input: I): Condition;
}
