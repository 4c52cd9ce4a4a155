import type { Piece } from '../../pieces.ts';
import type { StoredItem } from '../storage.ts';
import { PackedText, type Dictionaries } from './packed-text.ts';

/** Positions at which a value is cut in parts; a value that is not cut has none. */
export interface Cut {
  /** End of the head, which is kept as text: the same in all values of a kind. */
  readonly head: number;
  /** End of the front part. */
  readonly front: number;
}

/**
 * One version of a stored value in memory: as text while it is new, then compressed. What the value means is for those above;
 * they may ask for a part alone and leave a note.
 */
export class CachedItem implements StoredItem {
  readonly key: string;
  readonly revision: number;
  readonly head: string;
  /** What those above have found out about the value and want to keep with it. */
  note: unknown;
  /** What is behind the head. */
  #body: string | PackedText;
  readonly #frontLength: number;

  /** `previous` of the same kind shares its head. */
  constructor(item: StoredItem, cut: Cut | undefined, previous?: CachedItem) {
    const { head = 0, front = 0 } = cut ?? {};
    this.key = item.key;
    this.revision = item.revision;
    const text = item.value.slice(0, head);
    this.head = previous?.head === text ? previous.head : flat(text);
    this.#body = item.value.slice(head);
    this.#frontLength = Math.max(0, front - head);
  }

  get value(): string {
    return this.head + this.#text;
  }

  get #text(): string {
    return typeof this.#body === 'string' ? this.#body : this.#body.unpack().toString();
  }

  /** Text between head and rest. */
  get frontText(): string {
    return typeof this.#body === 'string'
      ? this.#body.slice(0, this.#frontLength)
      : this.#body.unpackFront().toString();
  }

  /** Characters that are kept as text. */
  get looseCharacters(): number {
    return typeof this.#body === 'string' ? this.#body.length : 0;
  }

  /** What is behind the head, as a piece of an answer. */
  get body(): Piece {
    return this.#body;
  }

  /** `frontText` as a piece of an answer. */
  get front(): Piece {
    const body = this.#body;
    if (typeof body === 'string') return body.slice(0, this.#frontLength);
    return { length: body.frontLength, unpack: () => body.unpackFront() };
  }

  /** Lets go of the text. */
  pack(dictionaries: Dictionaries): void {
    const text = this.#body;
    if (typeof text !== 'string') return;
    const dictionary = dictionaries.for(this.head, text);
    this.#body = PackedText.of(text.slice(0, this.#frontLength), text.slice(this.#frontLength), dictionary);
  }
}

/** A text of its own: a slice would keep the whole value it was cut from. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}
