import { humanDuration } from './duration.ts';
import { findValue, findValues, parseJsonPath } from './json-path.ts';
import type { JsonPath } from './json-path.ts';
import type { Json, JsonObject, KubeObject, ObjectMeta } from './object.ts';
import { parseTimestamp } from './time.ts';

/** meta.k8s.io Table: what `kubectl get` prints. k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor. */

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export type Cell = string | number | boolean | null;

export interface TableRow {
  readonly cells: readonly Cell[];
  readonly object: object | null;
}

export interface ColumnSource {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  readonly description: string;
  readonly format?: string;
  /** 0 is always shown; higher ones only with `-o wide`. */
  readonly priority?: number;
  /** Simple JSONPath (`.spec.a.b`, `.status.conditions[?(@.type=="Ready")].status`). */
  readonly jsonPath: string;
}

/** How objects of one kind become rows. */
export interface TableConverter {
  readonly columns: readonly TableColumn[];
  /** `nowMs`: milliseconds since 1970, for ages. */
  cells(object: KubeObject, nowMs: number): readonly Cell[];
  /** Cells that stay the same while the object does: an age is still the timestamp. */
  rawCells(object: KubeObject): readonly Cell[];
  /** `rawCells` as they are shown at a time. */
  finish(cells: readonly Cell[], nowMs: number): readonly Cell[];
}

const nameDescription =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';
const ageDescription =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';

export const ageColumn: ColumnSource = {
  name: 'Age',
  type: 'date',
  description: ageDescription,
  jsonPath: '.metadata.creationTimestamp',
};

/** NAME comes first; without other columns AGE follows. @throws Error for a JSONPath outside the dialect. */
export function newTableConverter(sources: readonly ColumnSource[]): TableConverter {
  const rest = sources.length === 0 ? [ageColumn] : sources;
  const paths = rest.map((source) => ({ source, path: parseJsonPath(source.jsonPath) }));
  const rawCells = (object: KubeObject): readonly Cell[] => [
    object.metadata.name ?? '',
    ...paths.map(({ source, path }) => cell(object, source.type, path)),
  ];
  const finish = (cells: readonly Cell[], nowMs: number): readonly Cell[] =>
    cells.map((value, at) =>
      at > 0 && rest[at - 1]!.type === 'date' && typeof value === 'string' ? age(value, nowMs) : value,
    );
  return {
    columns: [
      { name: 'Name', type: 'string', format: 'name', description: nameDescription, priority: 0 },
      ...rest.map(toColumn),
    ],
    cells: (object, nowMs) => finish(rawCells(object), nowMs),
    rawCells,
    finish,
  };
}

export function toColumn(source: Omit<ColumnSource, 'jsonPath'>): TableColumn {
  return {
    name: source.name,
    type: source.type,
    format: source.format ?? '',
    description: source.description,
    priority: source.priority ?? 0,
  };
}

function cell(object: KubeObject, type: ColumnSource['type'], path: JsonPath): Cell {
  if (type === 'string') {
    const values = findValues(object, path);
    return values.length === 0 ? null : printed(values[0]!);
  }
  const value = findValue(object, path);
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    default:
      return typeof value === 'string' ? value : null;
  }
}

function printed(value: Json): string {
  if (value === null) return '<nil>';
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

/** The age of a timestamp; `<unknown>` when it is empty, `<invalid>` when it is none. */
export function age(timestamp: string | undefined, nowMs: number): string {
  if (!timestamp) return '<unknown>';
  const ms = parseTimestamp(timestamp);
  return ms === undefined ? '<invalid>' : humanDuration(nowMs - ms);
}

/** `columns` null: a later event of a watch, whose columns the client has already seen. */
export function newTable(
  version: string,
  metadata: object,
  columns: readonly TableColumn[] | null,
  rows: readonly TableRow[],
): JsonObject {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: columns,
    rows,
  } as unknown as JsonObject;
}

/** meta.k8s.io PartialObjectMetadata. */
export function newPartialObject(version: string, metadata: ObjectMeta): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata };
}
