import { LineCounter, isAlias, isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml';
import type { ScalarTag, Tags } from 'yaml';
import { goQuote } from './go-format.ts';
import { checkNumber, DecodeError, maxJsonDepth } from './json-text.ts';
import type { DecodedText } from './json-text.ts';
import { isJsonObject, setOwn } from './json.ts';
import type { MutableJsonObject } from './json.ts';
import type { Json } from './object.ts';

/** Tags of YAML 1.1 that Kubernetes' own decoder (sigs.k8s.io/yaml) does not know: dates stay strings, `1:30` is no number. */
const unknownTags: ReadonlySet<string> = new Set([
  'tag:yaml.org,2002:timestamp',
  'tag:yaml.org,2002:binary',
  'tag:yaml.org,2002:omap',
  'tag:yaml.org,2002:pairs',
  'tag:yaml.org,2002:set',
]);

/** `0o17`, which is of YAML 1.2 and which Kubernetes' decoder takes as well. */
const octal: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0o[0-7]+$/,
  resolve: (text) => Number(text.replace(/^[-+]/, '')) * (text.startsWith('-') ? -1 : 1),
};

function kubernetesTags(tags: Tags): Tags {
  return [octal, ...tags].filter(
    (tag) => typeof tag === 'string' || (!unknownTags.has(tag.tag) && tag.format !== 'TIME'),
  );
}

/** The parser takes quadratic time for collections nested without end, so they are turned away before. */
function refuseDeepNesting(text: string): void {
  let open = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    open += bracket === '[' || bracket === '{' ? 1 : -1;
    if (open > 2 * maxJsonDepth) throw new DecodeError('error converting YAML to JSON: exceeded max depth');
  }
  if (/(?:[-?:][ \t]+){500}/.test(text)) throw new DecodeError('error converting YAML to JSON: exceeded max depth');
}

/**
 * Parses one YAML 1.1 document as Kubernetes does: last of several equal keys wins and is a finding, keys become strings.
 * Aliases may not multiply the document. @throws DecodeError
 */
export function decodeYaml(text: string): DecodedText {
  refuseDeepNesting(text);
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      version: '1.1',
      customTags: kubernetesTags,
      uniqueKeys: false,
      merge: true,
      intAsBigInt: true,
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
    });
    const [error] = document.errors;
    if (error !== undefined) {
      throw new DecodeError(
        `error converting YAML to JSON: yaml: line ${lines.linePos(error.pos[0]).line}: ${error.message}`,
      );
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { value: asJson(value, 0), findings: repeatedKeys(document.contents, lines) };
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new DecodeError(`error converting YAML to JSON: yaml: ${why}`, { cause: error });
  }
}

/** Refuses what JSON cannot hold. */
function asJson(value: unknown, depth: number): Json {
  if (depth > maxJsonDepth) throw new DecodeError('error converting YAML to JSON: exceeded max depth');
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw new DecodeError(`error converting YAML to JSON: json: unsupported value: ${goFloat(value)}`);
    return value;
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') {
    checkNumber(String(value));
    return Number(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => asJson(item, depth + 1));
  }
  if (!isJsonObject(value)) throw new DecodeError('error converting YAML to JSON: unsupported type');
  const result: MutableJsonObject = {};
  for (const key of Object.keys(value)) setOwn(result, key, asJson(value[key], depth + 1));
  return result;
}

function goFloat(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function repeatedKeys(root: unknown, lines: LineCounter): readonly string[] {
  const findings: string[] = [];
  const pending: unknown[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (isAlias(node)) continue;
    if (isSeq(node)) for (const item of node.items) pending.push(item);
    if (!isMap(node)) continue;
    const seen = new Set<string>();
    for (const pair of node.items) {
      if (!isPair(pair)) continue;
      pending.push(pair.value);
      if (!isScalar(pair.key)) continue;
      const key = String(pair.key.value);
      if (seen.has(key) && key !== '<<') {
        const line = lines.linePos(pair.key.range?.[0] ?? 0).line;
        findings.push(`line ${line}: key ${goQuote(key)} already set in map`);
      }
      seen.add(key);
    }
  }
  return findings.length === 0
    ? []
    : [`yaml: unmarshal errors:\n${findings.map((finding) => `  ${finding}`).join('\n')}`];
}
