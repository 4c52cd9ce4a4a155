import { goQuote } from './go-format.ts';
import { DecodeError } from './json-text.ts';
import { isJsonObject, setOwn } from './json.ts';
import type { MutableJsonObject } from './json.ts';
import type { Json, ObjectMeta } from './object.ts';
import { formatTimestamp, parseTimestamp } from './time.ts';

/**
 * `metadata` has one schema for all kinds: this is Go's typed decoding of metav1.ObjectMeta, with its errors
 * (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta, GetObjectMetaWithOptions).
 */

interface Reader {
  /** Go's name of the struct that holds the field, for messages. */
  readonly struct: string;
  /** Dotted path of the field below metadata, for messages. */
  readonly path: string;
  /** Path on the wire, for unknown fields: `metadata.labels`. */
  readonly wire: string;
  readonly unknown: string[];
}

type Decode = (value: Json, at: Reader) => Json | undefined;

function mismatch(value: Json, at: Reader, goType: string): DecodeError {
  return new DecodeError(
    `json: cannot unmarshal ${goKind(value)} into Go struct field ${at.struct}.${at.path} of type ${goType}`,
  );
}

function goKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

const string: Decode = (value, at) => {
  if (typeof value !== 'string') throw mismatch(value, at, 'string');
  return value === '' ? undefined : value;
};

const integer: Decode = (value, at) => {
  if (typeof value !== 'number') throw mismatch(value, at, 'int64');
  if (!Number.isInteger(value)) {
    throw new DecodeError(
      `json: cannot unmarshal number ${value} into Go struct field ${at.struct}.${at.path} of type int64`,
    );
  }
  return value;
};

const boolean: Decode = (value, at) => {
  if (typeof value !== 'boolean') throw mismatch(value, at, 'bool');
  return value;
};

const time: Decode = (value, at) => {
  if (typeof value !== 'string') throw mismatch(value, at, 'string');
  const ms = parseTimestamp(value);
  if (ms === undefined) {
    throw new DecodeError(
      `parsing time ${goQuote(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${goQuote(value)} as "2006"`,
    );
  }
  return formatTimestamp(ms);
};

const stringMap: Decode = (value, at) => {
  if (!isJsonObject(value)) throw mismatch(value, at, 'map[string]string');
  const result: MutableJsonObject = {};
  const keys = Object.keys(value);
  for (const key of keys) {
    const item = value[key] ?? '';
    if (typeof item !== 'string') throw mismatch(item, at, 'string');
    setOwn(result, key, item);
  }
  return keys.length === 0 ? undefined : result;
};

const anything: Decode = (value) => value;

function listOf(item: Decode, goType: string): Decode {
  return (value, at) => {
    if (!Array.isArray(value)) throw mismatch(value, at, goType);
    const list = value as readonly Json[];
    return list.length === 0
      ? undefined
      : list.map((entry, index) => item(entry, { ...at, wire: `${at.wire}[${index}]` }) ?? '');
  };
}

function struct(goName: string, fields: Readonly<Record<string, Decode>>): Decode {
  return (value, at) => {
    if (value === null) return {};
    if (!isJsonObject(value)) throw mismatch(value, at, `v1.${goName}`);
    return readStruct(value, fields, { ...at, struct: goName });
  };
}

function readStruct(value: object, fields: Readonly<Record<string, Decode>>, at: Reader): MutableJsonObject {
  const result: MutableJsonObject = {};
  for (const key of Object.keys(value)) {
    const decode = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (decode === undefined) {
      at.unknown.push(`${at.wire}.${key}`);
      continue;
    }
    const raw = (value as Readonly<Record<string, Json>>)[key];
    if (raw === null || raw === undefined) continue;
    const decoded = decode(raw, { ...at, path: at.path === '' ? key : `${at.path}.${key}`, wire: `${at.wire}.${key}` });
    if (decoded !== undefined) result[key] = decoded;
  }
  return result;
}

const ownerReference = struct('OwnerReference', {
  apiVersion: string,
  kind: string,
  name: string,
  uid: string,
  controller: boolean,
  blockOwnerDeletion: boolean,
});

const managedFieldsEntry = struct('ManagedFieldsEntry', {
  apiVersion: string,
  fieldsType: string,
  fieldsV1: anything,
  manager: string,
  operation: string,
  subresource: string,
  time,
});

/** In the order they are printed. */
const metaFields: Readonly<Record<string, Decode>> = {
  annotations: stringMap,
  creationTimestamp: time,
  deletionGracePeriodSeconds: integer,
  deletionTimestamp: time,
  finalizers: listOf((value, at) => (typeof value === 'string' ? value : string(value, at)), '[]string'),
  generateName: string,
  generation: integer,
  labels: stringMap,
  managedFields: listOf(managedFieldsEntry, '[]v1.ManagedFieldsEntry'),
  name: string,
  namespace: string,
  ownerReferences: listOf(ownerReference, '[]v1.OwnerReference'),
  resourceVersion: string,
  selfLink: anything,
  uid: string,
};

export interface DecodedMeta {
  readonly metadata: ObjectMeta;
  /** Paths such as `metadata.foo`. */
  readonly unknownFields: readonly string[];
}

/** Typed metadata out of whatever the client sent; empty values count as absent. @throws DecodeError */
export function decodeObjectMeta(value: Json | undefined): DecodedMeta {
  const unknown: string[] = [];
  if (value === undefined || value === null) return { metadata: {}, unknownFields: unknown };
  if (!isJsonObject(value)) {
    throw new DecodeError(`json: cannot unmarshal ${goKind(value)} into Go value of type v1.ObjectMeta`);
  }
  const { selfLink: _dropped, ...metadata } = readStruct(value, metaFields, {
    struct: 'ObjectMeta',
    path: '',
    wire: 'metadata',
    unknown,
  });
  return { metadata, unknownFields: unknown };
}

/** Keys in the order that sorted maps print, which is how kube-apiserver prints custom objects. */
export function orderedMeta(metadata: ObjectMeta): ObjectMeta {
  const ordered: MutableJsonObject = {};
  const source = metadata as Readonly<Record<string, Json | undefined>>;
  for (const key of Object.keys(metaFields)) {
    const item = source[key];
    if (item !== undefined) ordered[key] = item;
  }
  return ordered;
}
