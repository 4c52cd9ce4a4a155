/** `hack/bench packing`: what an object in memory takes, and what an answer of it costs, in each of the ways to keep it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { Dictionaries, PackedText } from '../../src/apiserver/storage/cache/packed-text.ts';
import { newStatus, newTenant } from './api-tenant.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const OBJECTS = 3_000;
const ROUNDS = 5;

/** A way to keep an object: made of its text, and giving it back as the UTF-8 of an answer. */
interface Way<Kept> {
  readonly name: string;
  readonly keep: (text: string) => Kept;
  readonly give: (kept: Kept) => Buffer;
}

function way<Kept>(name: string, keep: (text: string) => Kept, give: (kept: Kept) => Buffer): Way<Kept> {
  return { name, keep, give };
}

const dictionaries = new Dictionaries();
const ways = [
  way(
    'as an object, written as JSON for each answer',
    (text) => JSON.parse(text) as object,
    (kept) => Buffer.from(JSON.stringify(kept)),
  ),
  way(
    'as text',
    (text) => text,
    (kept) => Buffer.from(kept),
  ),
  way(
    'as UTF-8',
    (text) => Buffer.from(text),
    (kept) => kept,
  ),
  way(
    'compressed by itself',
    // A copy: what zlib answers is a part of a larger buffer.
    (text) => new Uint8Array(deflateRawSync(text, { level: 1 })),
    (kept) => inflateRawSync(kept),
  ),
  way(
    'packed with another one as the dictionary',
    (text) => PackedText.of('', text, dictionaries.for('', text)),
    (kept) => kept.unpack(),
  ),
] as readonly Way<unknown>[];

const texts = Array.from({ length: OBJECTS }, (_, index) => Buffer.from(textOf(index)));
// Once for the compiler.
for (const each of ways) measure(each);
console.log(`${OBJECTS} objects of ${texts[0]!.length} bytes`);
console.log(`${'kept'.padEnd(48)}bytes each   us to keep   us to give`);
for (const each of ways) {
  const { bytes, keepUs, giveUs } = measure(each);
  console.log(
    each.name.padEnd(48) +
      bytes.toFixed(0).padStart(10) +
      keepUs.toFixed(0).padStart(13) +
      giveUs.toFixed(1).padStart(13),
  );
}

function measure({ keep, give }: Way<unknown>): { bytes: number; keepUs: number; giveUs: number } {
  const before = memory();
  const began = performance.now();
  const kept = texts.map((text) => keep(text.toString()));
  const keepUs = ((performance.now() - began) * 1000) / OBJECTS;
  const bytes = (memory() - before) / OBJECTS;
  const start = performance.now();
  let given = 0;
  for (let round = 0; round < ROUNDS; round++) for (const one of kept) given += give(one).length;
  const giveUs = ((performance.now() - start) * 1000) / OBJECTS / ROUNDS;
  if (given < OBJECTS) throw new Error('nothing was given');
  return { bytes, keepUs, giveUs };
}

/** Bytes in use on the heap and outside of it. */
function memory(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A tenant as the server stores it, with the owners of its fields. */
function textOf(index: number): string {
  const name = `tenant-${String(index).padStart(5, '0')}`;
  const tenant = newTenant('kamaji.io/v1alpha1', name) as { readonly metadata: object; readonly spec: object };
  const status = newStatus(name);
  const uid = crypto.randomUUID();
  const managedFields = [
    {
      manager: 'kubectl-create',
      operation: 'Update',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': owned(tenant.spec) },
    },
    { manager: 'kamaji', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { 'f:status': owned(status) } },
  ];
  return JSON.stringify({ ...tenant, metadata: { ...tenant.metadata, uid, managedFields }, status });
}

function owned(value: unknown): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [`f:${key}`, owned(field)]));
}
