import { decodeFields, encodeFields } from '../fieldpath/fields-v1.ts';
import { goQuote } from '../go-format.ts';
import { isJsonObject } from '../json.ts';
import type { Managers, MutableManagers, VersionedSet } from '../merge/versioned-set.ts';
import type { JsonObject, KubeObject, ManagedFieldsEntry, ObjectMeta } from '../object.ts';
import { compareText } from '../text-order.ts';
import { formatTimestamp, parseTimestamp } from '../time.ts';
import { managerIdentifier, parseManagerIdentifier } from './manager-identifier.ts';

/** `metadata.managedFields`, decoded. k8s.io/apimachinery/pkg/util/managedfields/internal, managedfields.go. */
export interface Managed {
  readonly fields: Managers;
  /** RFC 3339 with seconds. */
  readonly times: ReadonlyMap<string, string>;
}

/** A list that is no record of ownership. */
export class ManagedFieldsError extends Error {
  override readonly name = 'ManagedFieldsError';
}

export const noManaged: Managed = { fields: new Map(), times: new Map() };

/** @throws ManagedFieldsError, and FieldsError for sets */
export function decodeManaged(entries: readonly ManagedFieldsEntry[]): Managed {
  const fields: MutableManagers = new Map();
  const times = new Map<string, string>();
  for (const [at, entry] of entries.entries()) {
    const { operation, apiVersion = '' } = entry;
    const fieldsType: string = entry.fieldsType ?? '';
    if (operation !== 'Apply' && operation !== 'Update') {
      throw new ManagedFieldsError('operation must be `Apply` or `Update`');
    }
    if (apiVersion === '') throw new ManagedFieldsError('apiVersion must not be empty');
    if (fieldsType === '') throw new ManagedFieldsError(`missing fieldsType in managed fields entry ${at}`);
    if (fieldsType !== 'FieldsV1') {
      throw new ManagedFieldsError(`invalid fieldsType ${goQuote(fieldsType)} in managed fields entry ${at}`);
    }
    const { manager = '', subresource = '' } = entry;
    const identifier = managerIdentifier({ manager, operation, apiVersion, subresource });
    fields.set(identifier, { set: decodeFields(entry.fieldsV1), apiVersion, applied: operation === 'Apply' });
    if (entry.time === undefined) times.delete(identifier);
    else times.set(identifier, entry.time);
  }
  return { fields, times };
}

/** In the order of the API; undefined for nobody. */
export function encodeManaged(managed: Managed): readonly ManagedFieldsEntry[] | undefined {
  if (managed.fields.size === 0) return undefined;
  const entries: ManagedFieldsEntry[] = [];
  for (const [identifier, versioned] of managed.fields) {
    entries.push(encodeEntry(identifier, versioned, managed.times.get(identifier)));
  }
  return entries.sort(compareEntries);
}

function encodeEntry(identifier: string, versioned: VersionedSet, time: string | undefined): ManagedFieldsEntry {
  const { manager, operation, subresource } = parseManagerIdentifier(identifier);
  return {
    apiVersion: versioned.apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFields(versioned.set),
    ...(manager === '' ? {} : { manager }),
    operation: versioned.applied ? 'Apply' : operation,
    ...(subresource === '' ? {} : { subresource }),
    ...(time === undefined ? {} : { time }),
  };
}

const epoch = '1970-01-01T00:00:00Z';

function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    compareText(a.operation ?? '', b.operation ?? '') ||
    compareText(a.time ?? epoch, b.time ?? epoch) ||
    compareText(a.manager ?? '', b.manager ?? '') ||
    compareText(a.apiVersion ?? '', b.apiVersion ?? '') ||
    compareText(a.subresource ?? '', b.subresource ?? '')
  );
}

/** The list in metadata as Go's typed reader sees it: undefined where it is absent or any entry has a field of a wrong type. */
export function entriesOf(metadata: ObjectMeta | undefined): readonly ManagedFieldsEntry[] | undefined {
  const list: unknown = metadata?.managedFields;
  if (!Array.isArray(list)) return undefined;
  const entries: ManagedFieldsEntry[] = [];
  for (const item of list as readonly unknown[]) {
    const entry = isJsonObject(item) ? readEntry(item) : undefined;
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  return entries;
}

const textFields = ['manager', 'operation', 'apiVersion', 'fieldsType', 'subresource'] as const;

function readEntry(item: JsonObject): ManagedFieldsEntry | undefined {
  const entry: Record<string, unknown> = {};
  for (const name of textFields) {
    const value = item[name];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string') return undefined;
    entry[name] = value;
  }
  const { time, fieldsV1 } = item;
  if (time !== undefined && time !== null) {
    const ms = typeof time === 'string' ? parseTimestamp(time) : undefined;
    if (ms === undefined) return undefined;
    entry['time'] = formatTimestamp(ms);
  }
  if (fieldsV1 !== undefined && fieldsV1 !== null) entry['fieldsV1'] = fieldsV1;
  return entry;
}

/** Whether a client asks for ownership to be forgotten: an empty list, or one empty entry. */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined) return false;
  return entries.length === 0 || (entries.length === 1 && Object.keys(entries[0]!).length === 0);
}

/** The object with these entries in place of its own. */
export function withEntries(object: KubeObject, entries: readonly ManagedFieldsEntry[] | undefined): KubeObject {
  const { metadata } = object;
  if (entries !== undefined) return { ...object, metadata: { ...metadata, managedFields: entries } };
  if (metadata?.managedFields === undefined) return object;
  const { managedFields: _dropped, ...rest } = metadata;
  return { ...object, metadata: rest };
}
