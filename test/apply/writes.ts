import type { JsonObject, KubeObject } from '../../src/apimachinery/object.ts';
import type { Status } from '../../src/apimachinery/status.ts';

/** A write to the object that the writes before it have left. The oracle reads the same. */
export interface Write {
  /** An update creates where nothing is. */
  readonly verb: 'update' | 'apply' | 'scale' | 'delete';
  readonly subresource: string;
  readonly object?: KubeObject;
  readonly replicas?: number;
  readonly manager: string;
  readonly force: boolean;
  /** RFC 3339 with seconds. */
  readonly now: string;
  /** Not stored: the server would refuse the object after its owners are found. */
  readonly refused: boolean;
}

export interface Sequence {
  /** Name of the subject. */
  readonly crd: string;
  readonly createdAt: string;
  readonly writes: readonly Write[];
}

/** What one write gave: the object as the field manager left it, or a failure. */
export interface Result {
  readonly object?: JsonObject;
  readonly status?: Pick<Status, 'code' | 'reason' | 'message' | 'details'>;
}
