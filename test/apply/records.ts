import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../../src/apimachinery/object.ts';
import type { SeededRandom } from '../../src/base/testing/seeded-random.ts';

/** `metadata.managedFields` as clients send them in a PUT: mostly what they read, sometimes anything. */
export function sentRecord(
  random: SeededRandom,
  live: KubeObject | undefined,
  apiVersion: string,
): readonly unknown[] | undefined {
  const known = live?.metadata.managedFields;
  const roll = random.next();
  if (roll < 0.7) return known;
  if (roll < 0.85) return undefined;
  if (roll < 0.88) return [];
  if (roll < 0.91) return [{}];
  if (roll < 0.95 && known !== undefined) return random.some(known, known.length - 1);
  const entry = random.chance(0.5) ? brokenEntry(random, apiVersion) : oddEntry(random, apiVersion);
  return random.shuffle([...(known ?? []), entry]);
}

const set: JsonObject = { 'f:spec': { 'f:text': {}, 'f:labels': { '.': {}, 'f:a': {} } } };

/** Not readable: the stored record is to be used. */
function brokenEntry(random: SeededRandom, apiVersion: string): unknown {
  const good = { manager: 'broken', operation: 'Update', apiVersion, fieldsType: 'FieldsV1', fieldsV1: set };
  return random.pick<unknown>([
    { ...good, operation: 'Delete' },
    { ...good, operation: '' },
    { ...good, apiVersion: '' },
    { ...good, fieldsType: 'FieldsV2' },
    { ...good, fieldsType: '' },
    { ...good, fieldsV1: { spec: {} } },
    { ...good, fieldsV1: { x: {} } },
    { ...good, fieldsV1: { 'i:one': {} } },
    { ...good, fieldsV1: { 'k:[': {} } },
    { ...good, fieldsV1: { 'v:nonsense': {} } },
    { ...good, fieldsV1: { 'f:spec': 5 } },
    { ...good, fieldsV1: 'text' },
  ]);
}

/** Readable, but nothing that this server would have written. */
function oddEntry(random: SeededRandom, apiVersion: string): ManagedFieldsEntry {
  const base = { manager: 'odd', operation: 'Update', apiVersion, fieldsType: 'FieldsV1', fieldsV1: set } as const;
  return random.pick<ManagedFieldsEntry>([
    { ...base, time: '2000-01-01T00:00:00Z' },
    { ...base, operation: 'Apply', time: '1999-12-31T23:59:59+01:00' },
    { ...base, manager: 'ancient-changes', time: '2000-01-01T00:00:01Z' },
    { ...base, subresource: 'status', fieldsV1: { 'f:status': { 'f:phase': {} } } },
    { ...base, fieldsV1: {} },
    { operation: 'Update', apiVersion, fieldsType: 'FieldsV1' },
    {
      ...base,
      fieldsV1: { 'x:future': {}, 'f:spec': { '.': {}, 'f:flag': null as unknown as JsonObject, 'f:unknown': {} } },
    },
    { ...base, fieldsV1: { 'f:spec': { 'f:atomicList': { 'i:0': { 'f:x': {} } }, 'f:atomicMap': { 'f:x': {} } } } },
    { ...base, fieldsV1: { 'f:spec': { 'f:numbers': { '.': {}, 'v:1': {}, 'v:1.0': {}, 'v:1000000': {} } } } },
    {
      ...base,
      operation: 'Apply',
      fieldsV1: { 'f:spec': { 'f:optionalKeys': { 'k:{"a":"a","c":1}': { '.': {}, 'f:v': {} }, 'k:{}': {} } } },
    },
    // Versions that are not ours, which make upstream give up the record of the object.
    { ...base, apiVersion: `${apiVersion.split('/')[0]}/v9` },
    { ...base, apiVersion: 'apps/v1' },
    { ...base, apiVersion: 'a/b/c' },
  ]);
}
