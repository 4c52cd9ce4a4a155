import { isJsonObject } from '../json.ts';
import type { Json, JsonObject } from '../object.ts';
import type { Atom } from './atom.ts';

/** Which of the kinds of an atom is meant by a value. `whole`: the value, null perhaps, does not say. */
export type Reading = 'map' | 'list' | 'scalar' | 'whole';

/** sigs.k8s.io/structured-merge-diff/v6/typed, helpers.go, deduceAtom. `value` undefined: not there. */
export function deduce(atom: Atom, value: Json | undefined): Reading {
  if (value === undefined || value === null) return 'whole';
  if (typeof value !== 'object') return atom.scalar === undefined ? 'whole' : 'scalar';
  if (Array.isArray(value)) return atom.list === undefined ? 'whole' : 'list';
  return atom.map === undefined ? 'whole' : 'map';
}

/** The kind that is acted on: for `whole` the first that the atom has. helpers.go, handleAtom. */
export function resolve(atom: Atom, reading: Reading): Exclude<Reading, 'whole'> | undefined {
  if (reading !== 'whole') return reading;
  if (atom.map !== undefined) return 'map';
  if (atom.scalar !== undefined) return 'scalar';
  return atom.list === undefined ? undefined : 'list';
}

/** Whether two readings leave the same part of the atom. */
export function sameReading(atom: Atom, a: Reading, b: Reading): boolean {
  return a === b || (isSingle(atom) && resolve(atom, a) === resolve(atom, b));
}

function isSingle(atom: Atom): boolean {
  return Number(atom.map !== undefined) + Number(atom.scalar !== undefined) + Number(atom.list !== undefined) === 1;
}

/** The value as an object, or undefined for anything else. */
export function asObject(value: Json | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

export function asList(value: Json | undefined): readonly Json[] | undefined {
  return Array.isArray(value) ? (value as readonly Json[]) : undefined;
}

/** Keys that are there. */
export function keysOf(object: JsonObject): readonly string[] {
  return Object.keys(object).filter((key) => object[key] !== undefined);
}

export function isEmptyObject(object: JsonObject): boolean {
  for (const key in object) if (object[key] !== undefined) return false;
  return true;
}
