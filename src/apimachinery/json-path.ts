import { getOwn, isJsonObject } from './json.ts';
import type { Json } from './object.ts';

/**
 * The simple JSONPath of printer columns: `.a.b`, `.a['x.y']`, `.a[0]`, `.a[-1]`, `.a[*]`, `.a[?(@.type=="Ready")]`, `\.` for a dot
 * inside a key. What k8s.io/client-go/util/jsonpath accepts beyond this (recursion, unions, ranges) is refused.
 */
export type JsonPath = readonly Step[];

type Step =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly path: readonly string[]; readonly negated: boolean; readonly value: Json };

const stepPattern =
  /\.((?:\\.|[^.[\]\\])+)|\['((?:\\.|[^'\\])*)'\]|\[(-?\d+)\]|(\[\*\]|\.\*)|\[\?\(@((?:\.[\w-]+)+)\s*(==|!=)\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|-?\d+(?:\.\d+)?|true|false)\)\]/y;

/** @throws Error for a path outside the dialect; paths come from definitions, never from requests. */
export function parseJsonPath(text: string): JsonPath {
  const steps: Step[] = [];
  stepPattern.lastIndex = 0;
  while (stepPattern.lastIndex < text.length) {
    const at = stepPattern.lastIndex;
    const match = stepPattern.exec(text);
    if (match === null) throw new Error(`unsupported JSONPath ${JSON.stringify(text)} at character ${at}`);
    steps.push(toStep(match));
  }
  return steps;
}

function toStep(match: RegExpExecArray): Step {
  const [, dotted, quoted, index, all, filterPath, operator, literal] = match;
  if (dotted === '*' || all !== undefined) return { kind: 'all' };
  if (dotted !== undefined) return { kind: 'key', key: unescape(dotted) };
  if (quoted !== undefined) return { kind: 'key', key: unescape(quoted) };
  if (index !== undefined) return { kind: 'index', index: Number(index) };
  return {
    kind: 'filter',
    path: filterPath!.slice(1).split('.'),
    negated: operator === '!=',
    value: parseLiteral(literal!),
  };
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

function parseLiteral(text: string): Json {
  if (text.startsWith('"') || text.startsWith("'")) return unescape(text.slice(1, -1));
  return JSON.parse(text) as Json;
}

/** All values the path leads to, in order; missing keys lead nowhere. */
export function findValues(root: unknown, path: JsonPath): readonly Json[] {
  let current: Json[] = [root as Json];
  for (const step of path) current = current.flatMap((value) => follow(value, step));
  return current;
}

/** The first value, or undefined. */
export function findValue(root: unknown, path: JsonPath): Json | undefined {
  return findValues(root, path)[0];
}

function follow(value: Json, step: Step): readonly Json[] {
  if (step.kind === 'key') {
    const child = isJsonObject(value) ? getOwn(value, step.key) : undefined;
    return child === undefined ? [] : [child];
  }
  if (step.kind === 'all' && isJsonObject(value)) return Object.values(value) as Json[];
  if (!Array.isArray(value)) return [];
  const items = value as readonly Json[];
  if (step.kind === 'all') return items;
  if (step.kind === 'index') {
    const item = items.at(step.index);
    return item === undefined ? [] : [item];
  }
  return items.filter((item) => {
    let current: Json | undefined = item;
    for (const key of step.path) current = isJsonObject(current) ? getOwn(current, key) : undefined;
    return current !== undefined && (current === step.value) !== step.negated;
  });
}
