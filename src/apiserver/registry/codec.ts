import type { KubeObject, ObjectMeta } from '../../apimachinery/object.ts';
import { orderedMeta } from '../../apimachinery/object-meta.ts';
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

/** One stored object; text, metadata and object are made when asked for, once each. */
export class Stored {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
  #text: string | undefined;
  #object: KubeObject | undefined;
  #metadata: ObjectMeta | undefined;

  constructor(key: string, value: string, revision: number) {
    this.key = key;
    this.value = value;
    this.revision = revision;
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
    return metadataText(this.value, this.revision);
  }

  get metadata(): ObjectMeta {
    return (this.#metadata ??= this.#object?.metadata ?? decodeMetadata(this.value, this.revision));
  }
}

/** `object` with other metadata, in the order in which objects are printed. */
export function withMetadata(object: KubeObject, metadata: ObjectMeta): KubeObject {
  return { ...object, apiVersion: object.apiVersion, kind: object.kind, metadata: orderedMeta(metadata) };
}
