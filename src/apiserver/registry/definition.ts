import type { FieldError } from '../../apimachinery/field-error.ts';
import type { GroupVersionKind, KubeObject } from '../../apimachinery/object.ts';
import type { Schema } from '../../apimachinery/schema/schema.ts';
import type { ColumnSource } from '../../apimachinery/table.ts';

/**
 * What a kind tells the engine about itself. The engine knows verbs and no kinds; a kind knows no HTTP.
 * The idea is k8s.io/apiserver/pkg/registry/rest (RESTCreateStrategy and its siblings).
 */
export interface ResourceDefinition<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Schema of the whole object; `metadata` is the engine's own. */
  readonly schema: Schema;
  readonly strategy: Strategy<T>;
  /** Columns of the default table after NAME, in order. */
  readonly printerColumns: readonly PrinterColumn[];
  readonly subresources: {
    readonly status?: boolean;
    readonly scale?: ScalePaths;
    readonly connect?: readonly ConnectSubresource<T>[];
  };
}

/** Pure hooks; they may not look at anything but their arguments. Gathering belongs to admission. */
export interface Strategy<T extends KubeObject = KubeObject> {
  /** `rfc1123Subdomain` unless the kind is stricter. */
  readonly nameRule?: 'rfc1123Subdomain' | 'rfc1035Label';
  /** Defaults that a schema cannot express (computed from other fields). Runs after schema defaulting on create and update. */
  default?(object: T): T;
  validateCreate?(object: T): readonly FieldError[];
  validateUpdate?(object: T, old: T): readonly FieldError[];
  validateStatusUpdate?(object: T, old: T): readonly FieldError[];
  warnings?(object: T, old: T | undefined): readonly string[];
  /**
   * Values only one object of the resource may hold at a time (e.g. a key range in a data store); kept unique by the
   * storage in the same transaction that writes the object. `field` and `message` go to the 422 of the loser.
   */
  claims?(object: T): readonly Claim[];
}

export interface Claim {
  readonly key: string;
  readonly field: string;
  readonly value: string;
}

/** A column of the default table. */
export type PrinterColumn = ColumnSource;

/** JSON paths such as `.spec.controlPlane.deployment.replicas`. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath: string;
}

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** A subresource that answers with an object of another kind, such as `kubeconfig`. */
export interface ConnectSubresource<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly responseKind: GroupVersionKind;
  readonly responseSchema: Schema;
  /** Body accepted by POST; an empty body means all defaults. */
  readonly requestSchema?: Schema;
  readonly verbs: readonly ('get' | 'create')[];
  /** A verb on the same subresource that the caller must hold besides the one used, because the answer is a credential. */
  readonly alsoRequiresVerb?: string;
  /** Answers are credentials: no caching, never in logs or audit, no gzip of secrets mixed with input. */
  readonly sensitive: boolean;
  /** `parent` is the stored object, `request` the decoded and defaulted POST body. Throws StatusError. */
  connect(parent: T, request: ConnectRequest): Promise<object>;
  /** Cells for Table output; must hold no secret. */
  readonly columns: readonly Omit<PrinterColumn, 'jsonPath'>[];
  row(answer: object, parent: T): readonly (string | number | boolean | null)[];
}

export interface ConnectRequest {
  readonly verb: 'get' | 'create';
  readonly user: UserInfo;
  readonly body: object | undefined;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}
