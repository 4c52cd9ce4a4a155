import { isJsonObject, withValueAt } from '../../src/apimachinery/json.ts';
import type { Json, JsonObject, KubeObject } from '../../src/apimachinery/object.ts';
import { propertySchema } from '../../src/apimachinery/schema/defaulting.ts';
import type { Schema } from '../../src/apimachinery/schema/schema.ts';
import type { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { randomJson } from './values.ts';

/** One thing wrong with an object: never two, because upstream tells of several in any order. */

interface Place {
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly value: Json;
}

function* places(schema: Schema, value: Json, path: readonly string[] = []): Generator<Place> {
  yield { path, schema, value };
  if (!isJsonObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    const property = propertySchema(schema, key);
    if (property !== undefined && item !== undefined && key !== 'metadata')
      yield* places(property, item, [...path, key]);
  }
}

/** Undefined where the object has no place for the fault that was drawn. */
export function withFault(random: SeededRandom, schema: Schema, object: KubeObject): KubeObject | undefined {
  const all = [...places(schema, object as unknown as Json)].filter(
    ({ path }) => path.length > 0 && path[0] === 'spec',
  );
  const fault = random.pick([undeclaredField, wrongType, doubledItem, oddItem]);
  const found = random
    .shuffle(all)
    .map((place) => [place, fault(random, place)] as const)
    .find(([, value]) => value !== undefined);
  if (found === undefined) return undefined;
  const [{ path }, value] = found;
  return withValueAt(object, path, value!) as unknown as KubeObject;
}

function undeclaredField(random: SeededRandom, { schema, value }: Place): Json | undefined {
  if (!isJsonObject(value) || schema.properties === undefined) return undefined;
  return { ...value, undeclared: randomJson(random, 3) };
}

function wrongType(random: SeededRandom, { schema, value }: Place): Json | undefined {
  if (schema.type === undefined || typeof value !== 'object') return undefined;
  const others: readonly Json[] = ['text', 5, true, ['x', 1, false, null]];
  // In a wrong place only: in an object each of its fields might be told of first.
  return random.pick(schema.type === 'object' ? others : [...others, { a: 1, b: [1, 'x', null, { c: 2.5 }] }]);
}

function doubledItem(random: SeededRandom, { schema, value }: Place): Json | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  if ((schema['x-kubernetes-list-type'] ?? 'atomic') === 'atomic') return undefined;
  const list = value as readonly Json[];
  const item = random.pick(list);
  const double = isJsonObject(item) && random.chance(0.5) ? { ...item, ...someOther(schema, item) } : item;
  return random.shuffle([...list, double, ...(random.chance(0.2) ? [item] : [])]);
}

/** Another value for a field that is no key. */
function someOther(schema: Schema, item: JsonObject): JsonObject {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const name = Object.keys(item).find((key) => !keys.includes(key) && typeof item[key] === 'string');
  return name === undefined ? {} : { [name]: 'double' };
}

function oddItem(random: SeededRandom, { schema, value }: Place): Json | undefined {
  if (!Array.isArray(value) || (schema['x-kubernetes-list-type'] ?? 'atomic') === 'atomic') return undefined;
  return [...(value as readonly Json[]), random.pick<Json>([null, [1], {}, 5.5])];
}

/** Where lists of a valid object name items twice, which updates may. */
export function withDoubles(random: SeededRandom, schema: Schema, object: KubeObject): KubeObject {
  const lists = [...places(schema, object as unknown as Json)].filter(({ path }) => path[0] === 'spec');
  for (const place of random.shuffle(lists)) {
    const value = doubledItem(random, place);
    if (value !== undefined) return withValueAt(object, place.path, value) as unknown as KubeObject;
  }
  return object;
}
