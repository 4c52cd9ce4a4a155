/** A change as history tells it. */
export type Change =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly value: string;
      readonly previous: string | undefined;
      readonly revision: number;
    }
  | { readonly type: 'delete'; readonly key: string; readonly previous: string; readonly revision: number };

export interface HistorySlice {
  readonly changes: readonly Change[];
  /** Every change under the prefix up to this revision is in `changes` or was before. */
  readonly completeTo: number;
  /** True when there is nothing above `completeTo` yet. */
  readonly atHead: boolean;
}
