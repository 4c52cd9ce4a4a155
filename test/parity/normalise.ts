import { parse as parseYaml, YAMLError } from 'yaml';
import type { DeliberateWording } from './deliberate-differences.ts';
import { deliberateWordings } from './deliberate-differences.ts';
import type { SideName, Transcript } from './side.ts';
import { PRODUCT_GROUP, TWIN_GROUP } from './subjects.ts';

/** An answer with what has to differ between two servers put out of the way. */
export type Comparable =
  null | boolean | number | string | readonly Comparable[] | { readonly [key: string]: Comparable };

/** Of the transport, of the moment, or of kube-apiserver's own in front of both. */
const IGNORED_HEADERS = new Set([
  'date',
  'audit-id',
  'content-length',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'x-kubernetes-pf-flowschema-uid',
  'x-kubernetes-pf-prioritylevel-uid',
]);
/** kube-apiserver adds its own to what the server behind it has sent. */
const DOUBLED_HEADERS = new Set(['cache-control']);

/** Bodies that make no sense are quoted in hexadecimal, and cut off. */
const hexOf = (text: string): string => Buffer.from(text.split('.', 1)[0]!).toString('hex');
const [TWIN_HEX, PRODUCT_HEX] = [hexOf(TWIN_GROUP), hexOf(PRODUCT_GROUP)];
/** Names made by a server from a `generateName` of the cases. */
const GENERATED = /(Bad_|gen-|g{58}|\ba\.)[bcdfghjklmnpqrstvwxz2456789]{5}\b/g;
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const AGE = /^(?:\d+[smhdy])+$/;

/** The deliberate wordings that an answer of the twin had in it. */
export const seenWordings = new Set<DeliberateWording>();

/** The transcripts of one side of a case. Names for uids and ranks of revisions go through all of them. */
export function normalise(side: SideName, transcripts: readonly Transcript[]): readonly Comparable[] {
  return new Normaliser(side, transcripts).all();
}

class Normaliser {
  readonly #side: SideName;
  readonly #transcripts: readonly Transcript[];
  readonly #uids = new Map<string, string>();
  /** Revisions of objects, by rank. */
  readonly #revisions = new Map<string, string>();

  constructor(side: SideName, transcripts: readonly Transcript[]) {
    this.#side = side;
    this.#transcripts = transcripts;
  }

  all(): readonly Comparable[] {
    const parsed = this.#transcripts.map((transcript) => ({
      transcript,
      body: parseBody(transcript),
      frames: transcript.frames?.map((frame) => parse(JSON.stringify(frame)) ?? null),
    }));
    const seen = new Set<string>();
    for (const { body, frames } of parsed) {
      collectRevisions(body ?? null, seen);
      for (const frame of frames ?? []) collectRevisions(frame, seen);
    }
    const sorted = [...seen].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    for (const [rank, revision] of sorted.entries()) this.#revisions.set(revision, `<revision ${rank + 1}>`);
    return parsed.map(({ transcript, body, frames }) => ({
      code: transcript.code,
      headers: this.#headers(transcript.headers),
      ...(transcript.frames === undefined
        ? { form: formOf(transcript), body: body === undefined ? this.#text(transcript.text) : this.#value(body) }
        : { ...this.#stream(transcript.what, frames ?? []), ended: transcript.ended === true }),
    }));
  }

  /**
   * Bookmarks come when kube-apiserver's timers are at it: it counts what they look like, and, for a watch that lasts long enough to
   * get one before its end, whether one came. The bookmark after the initial events has its place.
   */
  #stream(what: string, frames: readonly Comparable[]): { readonly [key: string]: Comparable } {
    const isTimed = (frame: Comparable): boolean =>
      isObject(frame) && frame['type'] === 'BOOKMARK' && !JSON.stringify(frame).includes('k8s.io/initial-events-end');
    const bookmarks = new Map(
      frames.filter(isTimed).map((frame) => [JSON.stringify(this.#value(frame)), this.#value(frame)]),
    );
    return {
      frames: frames.filter((frame) => !isTimed(frame)).map((frame) => this.#value(frame)),
      ...(/timeoutSeconds=[4-9]/.test(what) ? { bookmarks: [...bookmarks.values()] } : {}),
    };
  }

  #headers(headers: Readonly<Record<string, string>>): Comparable {
    return Object.fromEntries(
      Object.entries(headers)
        .filter(([name]) => !IGNORED_HEADERS.has(name))
        .map(([name, value]) => [name, this.#text(DOUBLED_HEADERS.has(name) ? withoutRepetition(value) : value)]),
    );
  }

  #text(text: string): string {
    return this.#rewritten(text)
      .replaceAll(UID, (uid) => {
        if (!this.#uids.has(uid)) this.#uids.set(uid, `<uid ${this.#uids.size + 1}>`);
        return this.#uids.get(uid)!;
      })
      .replaceAll(TIME, (time) => (Math.abs(Date.parse(time) - Date.now()) < 3_600_000 ? '<now>' : time))
      .replaceAll(GENERATED, '$1<suffix>')
      .replaceAll(/(resourceVersion\\*":\\*")\d+/g, '$1<revision>')
      .replaceAll(/in the precondition \(\d{2,}\)/g, 'in the precondition (<revision>)')
      .replaceAll(/current: \d+/g, 'current: <revision>')
      .replaceAll(/in record \(\d+\)/g, 'in record (<revision>)')
      .replaceAll(/too old resource version: (\d+) \(\d+\)/g, 'too old resource version: $1 (<revision>)');
  }

  /** What the twin says in the words of ours. */
  #rewritten(text: string): string {
    if (this.#side === 'ours') return text;
    let result = text
      .replaceAll(TWIN_GROUP, PRODUCT_GROUP)
      .replaceAll('io.twinji', 'io.kamaji')
      .replaceAll(TWIN_HEX, PRODUCT_HEX);
    for (const wording of deliberateWordings) {
      if (!result.includes(wording.twin)) continue;
      seenWordings.add(wording);
      result = result.replaceAll(wording.twin, wording.ours);
    }
    return result;
  }

  #value(value: Comparable): Comparable {
    if (typeof value === 'string') return this.#text(value);
    if (value === null || typeof value !== 'object') return value;
    if (isList(value)) return value.map((item) => this.#value(item));
    const normal = Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [this.#text(key), this.#value(inner)]),
    ) as Record<string, Comparable>;
    const metadata = value['metadata'];
    if (isObject(metadata)) normal['metadata'] = this.#metadata(metadata);
    if (value['kind'] === 'Status') return withSortedCauses(normal);
    if (value['kind'] === 'APIResourceList') return withSortedResources(normal);
    if (value['kind'] === 'Table' && isList(value['rows'])) normal['rows'] = withoutAges(value, normal['rows'] ?? null);
    return normal;
  }

  #metadata(metadata: { readonly [key: string]: Comparable }): Comparable {
    const normal = { ...(this.#value({ ...metadata, metadata: null }) as Record<string, Comparable>) };
    if (metadata['metadata'] === undefined) delete normal['metadata'];
    else normal['metadata'] = this.#value(metadata['metadata']);
    const revision = metadata['resourceVersion'];
    if (typeof revision === 'string' && revision !== '') {
      normal['resourceVersion'] = isObjectMetadata(metadata)
        ? (this.#revisions.get(revision) ?? revision)
        : '<revision>';
    }
    // Ordered by times of whole seconds, which the two sides may be on either side of.
    if (isList(normal['managedFields'])) normal['managedFields'] = sortedByText(normal['managedFields']);
    if (typeof metadata['continue'] === 'string' && metadata['continue'] !== '') normal['continue'] = '<continue>';
    return normal;
  }
}

/** YAML is compared by what it says: how a writer breaks and quotes its lines is its own affair. */
function parseBody({ headers, text }: Transcript): Comparable | undefined {
  if (!(headers['content-type'] ?? '').startsWith('application/yaml')) return parse(text);
  try {
    return parse(JSON.stringify(parseYaml(text)));
  } catch (error) {
    if (error instanceof YAMLError) return undefined;
    throw error;
  }
}

/** JSON with its numbers as they were written, so that `1`, `1.0` and what a double cannot hold stay apart. */
function parse(text: string): Comparable | undefined {
  try {
    return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' ? { '<number>': context?.source ?? String(value) } : value,
    ) as Comparable;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** How JSON was laid out. */
function formOf({ headers, text }: Transcript): string {
  if ((headers['content-type'] ?? '').startsWith('application/yaml')) return 'YAML';
  const end = text.endsWith('\n') ? ' with newline' : '';
  if (!/^\s*[[{]/.test(text)) return `text${end}`;
  return (/^[[{]\n/.test(text) ? 'pretty' : 'compact') + end;
}

function withoutRepetition(header: string): string {
  return [...new Set(header.split(', '))].join(', ');
}

/** Cells of date columns say how long ago something was. */
function withoutAges(table: { readonly [key: string]: Comparable }, rows: Comparable): Comparable {
  if (!isList(rows)) return rows;
  const columns = isList(table['columnDefinitions']) ? table['columnDefinitions'] : [];
  return rows.map((row) => {
    if (!isObject(row) || !isList(row['cells'])) return row;
    const cells = row['cells'].map((cell, index) => {
      const column = columns[index];
      const isDate = columns.length === 0 || (isObject(column) && column['type'] === 'date');
      return isDate && typeof cell === 'string' && AGE.test(cell) ? '<age>' : cell;
    });
    return { ...row, cells };
  });
}

/**
 * kube-apiserver walks through Go maps and so finds the faults of an object in any order, and some of them twice or three times. The
 * message of several faults repeats the causes; where it does so exactly, it says no more than that.
 */
function withSortedCauses(status: { readonly [key: string]: Comparable }): Comparable {
  const { details, message } = status;
  if (!isObject(details) || !isList(details['causes']) || typeof message !== 'string') return status;
  const causes = [...new Map(details['causes'].map((cause) => [JSON.stringify(cause), cause])).values()];
  const texts = causes.map((cause) => {
    if (!isObject(cause) || typeof cause['message'] !== 'string') return '';
    return typeof cause['field'] === 'string' ? `${cause['field']}: ${cause['message']}` : cause['message'];
  });
  const told = [...new Set(texts)];
  const repeated = told.length === 1 ? told[0]! : `[${told.join(', ')}]`;
  return {
    ...status,
    message: message.replace(repeated, '<causes>'),
    details: { ...details, causes: sortedByText(causes) },
  };
}

/** In no order with kube-apiserver, whose custom resources come out of a Go map; the hash is one of the group and more. */
function withSortedResources(list: { readonly [key: string]: Comparable }): Comparable {
  if (!isList(list['resources'])) return list;
  const resources = list['resources'].map((item) =>
    isObject(item) && Object.hasOwn(item, 'storageVersionHash') ? { ...item, storageVersionHash: '<hash>' } : item,
  );
  return { ...list, resources: sortedByText(resources) };
}

function sortedByText(items: readonly Comparable[]): readonly Comparable[] {
  return [...items].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function collectRevisions(value: Comparable, into: Set<string>): void {
  if (value === null || typeof value !== 'object') return;
  if (isList(value)) return value.forEach((item) => collectRevisions(item, into));
  const metadata = value['metadata'];
  if (isObject(metadata) && isObjectMetadata(metadata) && typeof metadata['resourceVersion'] === 'string') {
    into.add(metadata['resourceVersion']);
  }
  for (const inner of Object.values(value)) collectRevisions(inner, into);
}

function isObjectMetadata(metadata: { readonly [key: string]: Comparable }): boolean {
  return typeof metadata['uid'] === 'string';
}

export function isList(value: unknown): value is readonly Comparable[] {
  return Array.isArray(value);
}

export function isObject(value: unknown): value is { readonly [key: string]: Comparable } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
