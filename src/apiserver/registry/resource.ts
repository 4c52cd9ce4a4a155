import type { FieldError } from '../../apimachinery/field-error.ts';
import { invalidValue } from '../../apimachinery/field-error.ts';
import { formatGoValue, goTypeName } from '../../apimachinery/go-value.ts';
import { deepEqual, getOwn, isJsonObject } from '../../apimachinery/json.ts';
import type { Json, KubeObject } from '../../apimachinery/object.ts';
import { applyDefaults, applyDefaultsOnly } from '../../apimachinery/schema/defaulting.ts';
import { prune } from '../../apimachinery/schema/pruning.ts';
import type { Schema } from '../../apimachinery/schema/schema.ts';
import { validate } from '../../apimachinery/schema/validation.ts';
import type { GroupKind, GroupResource } from '../../apimachinery/status.ts';
import { newTableConverter } from '../../apimachinery/table.ts';
import type { TableConverter } from '../../apimachinery/table.ts';
import type { FieldManager, ReplicasPaths } from '../../apimachinery/managedfields/field-manager.ts';
import type { ResourceDefinition, ScalePaths } from './definition.ts';
import { newFieldManagers } from './field-managers.ts';

/** A definition made ready for serving: what would else be computed again for every request. */
export interface Resource {
  readonly definition: ResourceDefinition;
  readonly apiVersion: string;
  readonly kind: string;
  readonly groupResource: GroupResource;
  readonly groupKind: GroupKind;
  /** `/<group>/<plural>/` */
  readonly keyPrefix: string;
  readonly table: TableConverter;
  readonly hasStatus: boolean;
  readonly scale: CompiledScale | undefined;
  /** Where replicas stand in each apiVersion of the resource. */
  readonly replicasPaths: ReplicasPaths;
  /** Tracks who owns the fields that are written through a subresource, or the object itself (''). */
  fieldManager(subresource: string): FieldManager;
  /** Takes unknown fields out of a whole object; answers their paths. `metadata` is left alone. */
  prune(object: KubeObject): { readonly object: KubeObject; readonly unknownFields: readonly string[] };
  /** Schema defaults, then those that the strategy computes. */
  default(object: KubeObject): KubeObject;
  /** Findings about nulls that `default` would silently drop; for objects that no decoder has seen. */
  findNulls(object: KubeObject): readonly FieldError[];
  /** Findings of the schema over the whole object. */
  validateSchema(object: KubeObject): readonly FieldError[];
  /** Findings of the schema over `status` alone. */
  validateStatus(object: KubeObject): readonly FieldError[];
}

export interface CompiledScale {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  readonly selector: readonly string[];
  readonly paths: ScalePaths;
}

/** @throws Error for a definition that cannot be served. */
export function newResource(definition: ResourceDefinition): Resource {
  const { group, version, kind, plural, schema, strategy, subresources } = definition;
  const body = bodySchema(schema);
  const status = schema.properties?.['status'];
  const scale = subresources.scale === undefined ? undefined : compileScale(subresources.scale);
  return {
    definition,
    apiVersion: `${group}/${version}`,
    kind,
    groupResource: { group, resource: plural },
    groupKind: { group, kind },
    keyPrefix: `/${group}/${plural}/`,
    table: newTableConverter(definition.printerColumns),
    hasStatus: subresources.status === true,
    scale,
    replicasPaths: { [`${group}/${version}`]: scale?.specReplicas },
    fieldManager: newFieldManagers(definition),
    prune: (object) => prune(body, object),
    default: (object) => {
      const defaulted = applyDefaults(body, object);
      return strategy.default?.(defaulted) ?? defaulted;
    },
    findNulls: (object) => {
      const kept = applyDefaultsOnly(body, object);
      return deepEqual(kept, applyDefaults(body, object)) ? [] : validate(body, withoutMetadata(kept));
    },
    validateSchema: (object) => [...validate(body, withoutMetadata(object)), ...validateScale(scale, object)],
    validateStatus: (object) => {
      const value = getOwn(object, 'status');
      const findings =
        status === undefined || value === undefined ? [] : validate(status, value, 'status').map(fromStatus);
      return [...findings, ...validateScaleStatus(scale, object)];
    },
  };
}

/** Where upstream looks at the status alone, its texts begin there, though the field is named in full. */
function fromStatus(finding: FieldError): FieldError {
  const { field, message } = finding;
  const relative = field.replace(/^status\.?/, '');
  return { ...finding, message: message.replace(`: ${field} in body`, `: ${relative} in body`) };
}

/** The schema with `metadata` reduced to an object that is looked after elsewhere. */
function bodySchema(schema: Schema): Schema {
  return {
    ...schema,
    type: 'object',
    properties: {
      ...schema.properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  };
}

function withoutMetadata(object: KubeObject): object {
  const { metadata: _metadata, ...body } = object;
  return { ...body, metadata: {} };
}

function compileScale(paths: ScalePaths): CompiledScale {
  return {
    specReplicas: splitPath(paths.specReplicasPath),
    statusReplicas: splitPath(paths.statusReplicasPath),
    selector: splitPath(paths.labelSelectorPath),
    paths,
  };
}

function splitPath(path: string): readonly string[] {
  return path.replace(/^\./, '').split('.');
}

function validateScale(scale: CompiledScale | undefined, object: KubeObject): readonly FieldError[] {
  if (scale === undefined) return [];
  return [
    ...checkReplicas(scale.paths.specReplicasPath, object, scale.specReplicas),
    ...validateScaleStatus(scale, object),
  ];
}

function validateScaleStatus(scale: CompiledScale | undefined, object: KubeObject): readonly FieldError[] {
  if (scale === undefined) return [];
  return [
    ...checkReplicas(scale.paths.statusReplicasPath, object, scale.statusReplicas),
    ...checkSelector(scale.paths.labelSelectorPath, object, scale.selector),
  ];
}

function checkReplicas(name: string, object: KubeObject, path: readonly string[]): readonly FieldError[] {
  const { value, complaint } = reach(object, path, 'int64');
  if (complaint !== undefined) return [invalidValue(name, 0, complaint)];
  if (typeof value !== 'number') return [];
  if (value < 0) return [invalidValue(name, value, 'should be a non-negative integer')];
  return value > 2147483647 ? [invalidValue(name, value, 'should be less than or equal to 2147483647')] : [];
}

function checkSelector(name: string, object: KubeObject, path: readonly string[]): readonly FieldError[] {
  const { complaint } = reach(object, path, 'string');
  return complaint === undefined ? [] : [invalidValue(name, '', complaint)];
}

/** apimachinery/pkg/apis/meta/v1/unstructured/helpers.go, NestedInt64 and NestedString. */
function reach(
  object: KubeObject,
  path: readonly string[],
  type: 'int64' | 'string',
): { readonly value?: Json | undefined; readonly complaint?: string } {
  let value: Json = object as unknown as Json;
  const wrong = (depth: number, expected: string): { readonly complaint: string } => ({
    complaint: `.${path.slice(0, depth).join('.')} accessor error: ${formatGoValue(value)} is of the type ${goTypeName(value)}, expected ${expected}`,
  });
  for (const [index, key] of path.entries()) {
    if (value === null) return {};
    if (!isJsonObject(value)) return wrong(index + 1, 'map[string]interface{}');
    const next = getOwn(value, key);
    if (next === undefined) return {};
    value = next;
  }
  return goTypeName(value) === type ? { value } : wrong(path.length, type);
}
