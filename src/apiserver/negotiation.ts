import { newNotAcceptable, newUnsupportedMediaType } from '../apimachinery/status.ts';

/** Which form of an answer a client wants. k8s.io/apiserver/pkg/endpoints/handlers/negotiation. */
export interface OutputForm {
  readonly encoding: 'json' | 'yaml';
  readonly contentType: string;
  /** What the object is to be turned into first. */
  readonly convert: Conversion | undefined;
  readonly pretty: boolean;
}

export interface Conversion {
  readonly kind: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  readonly version: 'v1' | 'v1beta1';
}

interface Clause {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
  readonly params: ReadonlyMap<string, string>;
}

const jsonType = 'application/json';
const yamlType = 'application/yaml';
/** In the order in which they are offered and named. */
const mediaTypes: readonly string[] = [jsonType, yamlType];

export interface FormRules {
  /** Conversions this answer can take. */
  readonly conversions: readonly Conversion['kind'][];
  /** Only media types that can be streamed. */
  readonly streaming?: boolean;
}

/** Rules for answers that hold no object, such as discovery. */
export const plainForms: FormRules = { conversions: [] };

/** @throws StatusError (406) when nothing of what the client accepts can be given. */
export function negotiateOutput(accept: string | undefined, rules: FormRules): OutputForm {
  const offered = rules.streaming === true ? [jsonType] : mediaTypes;
  if (accept === undefined || accept === '') return formOf(jsonType, undefined, false);
  for (const clause of parseAccept(accept)) {
    for (const contentType of offered) {
      if (!covers(clause, contentType)) continue;
      const form = tryClause(clause, contentType, rules);
      if (form !== undefined) return form;
    }
  }
  throw newNotAcceptable(rules.streaming === true ? [`${jsonType};stream=watch`] : mediaTypes);
}

function formOf(contentType: string, convert: Conversion | undefined, pretty: boolean): OutputForm {
  return { encoding: contentType === yamlType ? 'yaml' : 'json', contentType, convert, pretty };
}

function covers(clause: Clause, contentType: string): boolean {
  const [type, subtype] = contentType.split('/');
  if (clause.type === '*') return clause.subtype === '*';
  return clause.type === type && (clause.subtype === '*' || clause.subtype === subtype);
}

function tryClause(clause: Clause, contentType: string, rules: FormRules): OutputForm | undefined {
  const { params } = clause;
  // JSON streams are told by the query, not by the media type; kube-apiserver takes and ignores the one known value.
  const stream = params.get('stream') ?? '';
  if (stream !== '' && (stream !== 'watch' || contentType !== jsonType)) return undefined;
  if ((params.get('sv') ?? '') !== '') return undefined;
  const pretty = params.get('pretty') === '1';
  if (!params.has('as') && !params.has('g') && !params.has('v')) return formOf(contentType, undefined, pretty);
  const kind = rules.conversions.find((candidate) => candidate === params.get('as'));
  const version = params.get('v');
  if (kind === undefined || params.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1'))
    return undefined;
  return formOf(contentType, { kind, version }, pretty);
}

/** Clauses by falling preference. github.com/munnerz/goautoneg. */
export function parseAccept(header: string): readonly Clause[] {
  const clauses: Clause[] = [];
  for (const part of header.split(',')) {
    const [media = '', ...rest] = part.split(';').map((piece) => piece.trim());
    const [type = '', subtype = ''] = media.split('/');
    if (type === '' || subtype === '') {
      if (type !== '*') continue;
    }
    const params = new Map<string, string>();
    for (const piece of rest) {
      const equals = piece.indexOf('=');
      if (equals > 0)
        params.set(
          piece.slice(0, equals).trim(),
          piece
            .slice(equals + 1)
            .trim()
            .replace(/^"(.*)"$/, '$1'),
        );
    }
    const quality = Number(params.get('q') ?? '1');
    params.delete('q');
    clauses.push({
      type,
      subtype: subtype === '' ? '*' : subtype,
      quality: Number.isNaN(quality) ? 1 : quality,
      params,
    });
  }
  return clauses.sort((a, b) => b.quality - a.quality || wildcards(a) - wildcards(b));
}

function wildcards(clause: Clause): number {
  return (clause.type === '*' ? 2 : 0) + (clause.subtype === '*' ? 1 : 0);
}

/** The bare media type of a Content-Type header, lower-cased; undefined for a header that is none (mime.ParseMediaType). */
function mediaTypeOf(header: string | undefined): string | undefined {
  const [media = '', ...parameters] = (header ?? '').split(';');
  const areParameters = parameters.every((text) => /^\s*([^\s=;"]+\s*=\s*([^\s;"]+|"[^"]*")\s*)?$/.test(text));
  return areParameters ? media.trim().toLowerCase() : undefined;
}

/** How a request body is written; without Content-Type it is JSON. @throws StatusError (415) */
export function negotiateInput(contentType: string | undefined): 'json' | 'yaml' {
  const media = mediaTypeOf(contentType);
  if (media === '' || media === jsonType) return 'json';
  if (media === yamlType) return 'yaml';
  throw newUnsupportedMediaType(mediaTypes);
}

/** True when a human looks at the answer (negotiate.go, isPrettyPrint). */
export function wantsPretty(query: URLSearchParams, userAgent: string | undefined): boolean {
  const asked = query.get('pretty');
  // Go's strconv.ParseBool.
  if (asked !== null && asked !== '') return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? '');
}
