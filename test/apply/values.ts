import { isJsonObject } from '../../src/apimachinery/json.ts';
import type { Json, JsonObject } from '../../src/apimachinery/object.ts';
import { propertySchema } from '../../src/apimachinery/schema/defaulting.ts';
import type { Schema } from '../../src/apimachinery/schema/schema.ts';
import type { SeededRandom } from '../../src/base/testing/seeded-random.ts';

/** Random values of a schema, out of pools small enough that they meet again. */

const texts = ['a', 'b', 'c', 'd', 'e<f>&g', 'é', 'quo"te\\', 'zz\u2028', '\u{1f600}', '\ufb01', ''];
const numbers = [0, 1, 2, 3, 10, 9, -1, 1_000_000, 20_000_000];
const fractions = [0, 0.5, 1, 2.25, -3.5, 1_000_000, 0.00001, 1e-7];
const keys = ['a', 'b', 'c', 'example.com/x', '\ufb01', '\u{1f600}', 'k<'];

/** How much of an object with many properties is filled in. */
const fieldsAtOnce = 4;

export function randomValue(random: SeededRandom, schema: Schema, depth = 0): Json {
  if (random.chance(schema.nullable === true ? 0.25 : 0.02)) return null;
  if (schema['x-kubernetes-int-or-string'] === true)
    return random.chance(0.5) ? random.pick(numbers) : random.pick(texts);
  switch (schema.type) {
    case 'object':
      return randomObject(random, schema, depth);
    case 'array':
      return randomList(random, schema, depth);
    case 'string':
      return schema.enum === undefined ? random.pick(texts) : random.pick(schema.enum);
    case 'boolean':
      return random.chance(0.5);
    case 'integer':
      return random.pick(numbers);
    case 'number':
      return random.pick(fractions);
    default:
      return randomJson(random, depth);
  }
}

function randomObject(random: SeededRandom, schema: Schema, depth: number): Json {
  const object: Record<string, Json> = {};
  const limit = depth > 4 ? 1 : fieldsAtOnce - (depth > 2 ? 2 : 0);
  for (const [name, property] of random.some(Object.entries(schema.properties ?? {}), 1 + random.below(limit))) {
    if (random.chance(0.85)) object[name] = randomValue(random, property, depth + 1);
  }
  const { additionalProperties } = schema;
  const isFree = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.properties === undefined;
  if (typeof additionalProperties === 'object') {
    for (const key of random.some(keys, random.below(4)))
      object[key] = randomValue(random, additionalProperties, depth + 1);
  } else if (isFree) {
    for (const key of random.some(keys, random.below(3))) object[key] ??= randomJson(random, depth + 1);
  }
  if (schema['x-kubernetes-embedded-resource'] === true) {
    object['apiVersion'] = 'v1';
    object['kind'] = random.pick(['Pod', 'Service']);
    if (random.chance(0.7)) object['metadata'] = { name: random.pick(texts), labels: { a: random.pick(texts) } };
  }
  return object;
}

function randomList(random: SeededRandom, schema: Schema, depth: number): Json {
  const items = schema.items ?? {};
  const type = schema['x-kubernetes-list-type'] ?? 'atomic';
  const names = schema['x-kubernetes-list-map-keys'] ?? [];
  const list: Json[] = [];
  const seen = new Set<string>();
  for (let left = random.below(depth > 3 ? 2 : 4); left > 0; left--) {
    const item = type === 'map' ? randomItem(random, items, names, depth) : randomValue(random, items, depth + 1);
    if (type !== 'atomic') {
      if (item === null) continue;
      const id = type === 'set' ? JSON.stringify(item) : idOf(item, items, names);
      if (seen.has(id)) continue;
      seen.add(id);
    }
    list.push(item);
  }
  return list;
}

function idOf(item: Json, items: Schema, names: readonly string[]): string {
  const object = item as JsonObject;
  return JSON.stringify(names.map((name) => object[name] ?? items.properties?.[name]?.default));
}

function randomItem(random: SeededRandom, items: Schema, names: readonly string[], depth: number): Json {
  const value = randomObject(random, items, depth + 1);
  const item = { ...(isJsonObject(value) ? value : {}) } as Record<string, Json>;
  for (const [at, name] of names.entries()) {
    const property = items.properties?.[name] ?? {};
    const hasDefault = property.default !== undefined;
    const mayLack = hasDefault || (at > 0 && !(items.required ?? []).includes(name));
    if (mayLack && random.chance(0.4)) {
      delete item[name];
      continue;
    }
    item[name] =
      property.type === 'string' ? random.pick(['a', 'b', 'TCP', 'UDP', 'x"y']) : randomScalar(random, property);
  }
  return item;
}

function randomScalar(random: SeededRandom, schema: Schema): Json {
  const value = randomValue(random, schema, 9);
  return value === null ? randomScalar(random, schema) : value;
}

export function randomJson(random: SeededRandom, depth: number): Json {
  const kind = random.below(depth > 5 ? 4 : 7);
  if (kind === 0) return random.pick(numbers);
  if (kind === 1) return random.pick(texts);
  if (kind === 2) return random.chance(0.5);
  if (kind === 3) return random.chance(0.5) ? null : random.pick(fractions);
  if (kind === 4) return Array.from({ length: random.below(3) }, () => randomJson(random, depth + 1));
  return Object.fromEntries(random.some(keys, random.below(4)).map((key) => [key, randomJson(random, depth + 1)]));
}

/** The value with some of it changed, added, removed, moved. */
export function changedValue(random: SeededRandom, schema: Schema, value: Json, depth = 0): Json {
  if (random.chance(0.08)) return randomValue(random, schema, depth);
  if (Array.isArray(value)) return changedList(random, schema, value as readonly Json[], depth);
  if (isJsonObject(value)) return changedObject(random, schema, value, depth);
  return random.chance(0.3) ? randomValue(random, schema, depth) : value;
}

function changedObject(random: SeededRandom, schema: Schema, value: JsonObject, depth: number): Json {
  const next: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined || random.chance(0.1)) continue;
    const property = propertySchema(schema, key);
    next[key] = property === undefined || random.chance(0.5) ? item : changedValue(random, property, item, depth + 1);
  }
  if (random.chance(0.6)) {
    const fresh = randomObject(random, schema, depth) as JsonObject;
    for (const [key, item] of Object.entries(fresh)) if (!Object.hasOwn(next, key)) next[key] = item!;
  }
  if (schema['x-kubernetes-embedded-resource'] === true) {
    next['apiVersion'] ??= 'v1';
    next['kind'] ??= 'Pod';
  }
  return next;
}

function changedList(random: SeededRandom, schema: Schema, value: readonly Json[], depth: number): Json {
  const items = schema.items ?? {};
  const type = schema['x-kubernetes-list-type'] ?? 'atomic';
  const names = schema['x-kubernetes-list-map-keys'] ?? [];
  let next = value.filter(() => !random.chance(0.15));
  if (random.chance(0.2)) next = [...random.shuffle(next)];
  if (type !== 'set') {
    next = next.map((item) => (random.chance(0.5) ? item : changedItem(random, items, names, item, depth)));
  }
  const taken = new Set(next.map((item) => (type === 'map' ? idOf(item, items, names) : JSON.stringify(item))));
  for (const item of randomList(random, schema, depth) as readonly Json[]) {
    const id = type === 'map' ? idOf(item, items, names) : JSON.stringify(item);
    if (type !== 'atomic' && taken.has(id)) continue;
    next.splice(random.below(next.length + 1), 0, item);
  }
  return next;
}

/** Keeps its keys. */
function changedItem(random: SeededRandom, items: Schema, names: readonly string[], item: Json, depth: number): Json {
  if (names.length === 0) return changedValue(random, items, item, depth + 1);
  if (!isJsonObject(item)) return item;
  const next = { ...(changedObject(random, items, item, depth + 1) as Record<string, Json>) };
  for (const name of names) {
    if (item[name] === undefined) delete next[name];
    else next[name] = item[name];
  }
  return next;
}
