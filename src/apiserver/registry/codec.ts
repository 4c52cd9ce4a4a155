import type { KubeObject, ObjectMeta } from '../../apimachinery/object.ts';
import { orderedMeta } from '../../apimachinery/object-meta.ts';
import type { Cell, TableConverter } from '../../apimachinery/table.ts';
import type { Piece } from '../pieces.ts';
import { CachedItem, type Cut } from '../storage/cache/cached-item.ts';
import type { StoredItem } from '../storage/storage.ts';
import type { Resource } from './resource.ts';

/**
 * Objects are stored as JSON text that begins with apiVersion, kind and metadata, without resourceVersion. That lets an answer be
 * made of the stored text by inserting the revision, and metadata be read without parsing the rest.
 */

/** `object` without its resourceVersion as text for the storage. */
export function encodeObject(resource: Resource, object: KubeObject): string {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...body } = object;
  const { resourceVersion: _resourceVersion, ...rest } = metadata;
  return JSON.stringify({ apiVersion: resource.apiVersion, kind: resource.kind, metadata: orderedMeta(rest), ...body });
}

const metadataKey = '"metadata":{';

/** Position behind the brace that opens `metadata`. */
function metadataStart(text: string): number {
  // apiVersion and kind hold no quotes, so the first match is the key of the top level.
  const at = text.indexOf(metadataKey);
  if (at < 0) throw new Error('a stored value holds no metadata');
  return at + metadataKey.length;
}

/** The stored text with its revision as resourceVersion; revision 0 (never stored) has none. */
export function textWithRevision(text: string, revision: number): string {
  if (revision === 0) return text;
  const at = metadataStart(text);
  return `${text.slice(0, at)}"resourceVersion":"${revision}",${text.slice(at)}`;
}

export function decodeObject(text: string, revision: number): KubeObject {
  return JSON.parse(textWithRevision(text, revision)) as KubeObject;
}

/** Only the metadata of a stored text, as text. */
export function metadataText(text: string, revision: number): string {
  const start = metadataStart(text);
  const rest = text.slice(start, endOfObject(text, start - 1));
  return revision === 0 ? `{${rest}` : `{"resourceVersion":"${revision}",${rest}`;
}

/** Only the metadata of a stored text. */
export function decodeMetadata(text: string, revision: number): ObjectMeta {
  return orderedMeta(JSON.parse(metadataText(text, revision)) as ObjectMeta);
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Position behind the brace that closes the object opened at `start`. The text is valid JSON. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let pos = start; pos < text.length; pos++) {
    const code = text.charCodeAt(pos);
    if (code === quote) pos = endOfString(text, pos);
    else if (code === openBrace) depth++;
    else if (code === closeBrace && --depth === 0) return pos + 1;
  }
  throw new Error('a stored value ends inside its metadata');
}

/** Position of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  let pos = text.indexOf('"', start + 1);
  while (pos > 0) {
    let slashes = 0;
    while (text.charCodeAt(pos - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return pos;
    pos = text.indexOf('"', pos + 1);
  }
  throw new Error('a stored value ends inside a string');
}

/** Where a cache cuts a stored text, so that metadata can be had, and the revision be inserted, without touching the rest. */
export function cutAtMetadata(text: string): Cut | undefined {
  const at = text.indexOf(metadataKey);
  if (at < 0) return undefined;
  const head = at + metadataKey.length;
  return { head, front: endOfObject(text, head - 1) };
}

/** What is found out about a cached item and kept with it, because lists ask for it again and again. */
interface ItemNote {
  labels?: Readonly<Record<string, string>>;
  cells?: readonly Cell[];
}

/** One stored object; text, metadata and object are made when asked for, once each. */
export class Stored {
  readonly key: string;
  readonly revision: number;
  #value: string | undefined;
  #text: string | undefined;
  #object: KubeObject | undefined;
  #metadata: ObjectMeta | undefined;
  readonly #cached: CachedItem | undefined;
  #frames: Map<string, Buffer> | undefined;

  constructor(key: string, value: string | CachedItem, revision: number) {
    this.key = key;
    this.revision = revision;
    if (typeof value === 'string') this.#value = value;
    else this.#cached = value;
  }

  /** `revision`: the one to show, where it is not that of the item. */
  static of(item: StoredItem, revision: number = item.revision): Stored {
    return new Stored(item.key, item instanceof CachedItem ? item : item.value, revision);
  }

  get value(): string {
    return (this.#value ??= this.#cached!.value);
  }

  /** JSON with resourceVersion. */
  get text(): string {
    return (this.#text ??= textWithRevision(this.value, this.revision));
  }

  /** Shared: must not be changed. */
  get object(): KubeObject {
    return (this.#object ??= decodeObject(this.value, this.revision));
  }

  /** JSON of the metadata, with resourceVersion. */
  get metadataText(): string {
    const cut = this.#cutCached;
    return cut === undefined ? metadataText(this.value, this.revision) : `{${this.#revisionText}${cut.frontText}`;
  }

  get metadata(): ObjectMeta {
    return (this.#metadata ??= this.#object?.metadata ?? orderedMeta(JSON.parse(this.metadataText) as ObjectMeta));
  }

  get labels(): Readonly<Record<string, string>> | undefined {
    const note = this.#note;
    if (note === undefined) return this.metadata.labels;
    return (note.labels ??= (JSON.parse(this.metadataText) as ObjectMeta).labels ?? noLabels);
  }

  /** True when asking for the cells takes no work. */
  get hasCells(): boolean {
    return this.#note?.cells !== undefined;
  }

  /** Cells of the default table, ages still as timestamps. */
  rawCells(table: TableConverter): readonly Cell[] {
    const note = this.#note;
    if (note === undefined) return table.rawCells(this.object);
    // The object is not kept: it takes ten times the memory of its text.
    return (note.cells ??= table.rawCells(JSON.parse(this.#cached!.value) as KubeObject));
  }

  /** `text` in parts that need not be made first. */
  get pieces(): readonly Piece[] {
    const cut = this.#cutCached;
    return cut === undefined ? [this.text] : [cut.head + this.#revisionText, cut.body];
  }

  /** `metadataText` in parts that need not be made first. */
  get metadataPieces(): readonly Piece[] {
    const cut = this.#cutCached;
    return cut === undefined ? [this.metadataText] : [`{${this.#revisionText}`, cut.front];
  }

  /** Bytes that many receivers are sent; made for the first of them. */
  frame(name: string, make: () => string): Buffer {
    this.#frames ??= new Map();
    const known = this.#frames.get(name);
    if (known !== undefined) return known;
    const bytes = Buffer.from(make());
    this.#frames.set(name, bytes);
    return bytes;
  }

  get #revisionText(): string {
    return this.revision === 0 ? '' : `"resourceVersion":"${this.revision}",`;
  }

  get #cutCached(): CachedItem | undefined {
    return this.#cached?.head === '' ? undefined : this.#cached;
  }

  get #note(): ItemNote | undefined {
    if (this.#cached === undefined) return undefined;
    return (this.#cached.note ??= {});
  }
}

const noLabels = {};

/** The labels of an item that somebody has asked for before; undefined when it takes work to know them. */
export function knownLabels(item: StoredItem): Readonly<Record<string, string>> | undefined {
  return item instanceof CachedItem ? (item.note as ItemNote | undefined)?.labels : undefined;
}

/** `object` with other metadata, in the order in which objects are printed. */
export function withMetadata(object: KubeObject, metadata: ObjectMeta): KubeObject {
  return { ...object, apiVersion: object.apiVersion, kind: object.kind, metadata: orderedMeta(metadata) };
}
