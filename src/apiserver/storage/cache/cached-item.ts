import { deflateText, inflateText, type Deflated } from '../../deflated-text.ts';
import type { StoredItem } from '../storage.ts';

/** Positions at which a value is cut in two that are compressed apart; a value that is not cut has none. */
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
  /** Length of the value. */
  readonly characters: number;
  /** What those above have found out about the value and want to keep with it. */
  note: unknown;
  #text: string | undefined;
  #frontLength: number;
  #front: Deflated | undefined;
  #rest: Deflated | undefined;

  /** `previous` of the same kind shares its head. */
  constructor(item: StoredItem, cut: Cut | undefined, previous?: CachedItem) {
    const { head = 0, front = 0 } = cut ?? {};
    this.key = item.key;
    this.revision = item.revision;
    this.characters = item.value.length;
    const text = item.value.slice(0, head);
    this.head = previous?.head === text ? previous.head : flat(text);
    this.#text = item.value.slice(head);
    this.#frontLength = front - head;
  }

  get value(): string {
    return this.head + (this.#text ?? inflateText([this.#front!, this.#rest!]));
  }

  /** Text between head and rest. */
  get frontText(): string {
    return this.#text === undefined ? inflateText([this.#front!]) : this.#text.slice(0, this.#frontLength);
  }

  /** True once only the compressed parts are kept. */
  get isPacked(): boolean {
    return this.#text === undefined;
  }

  /** What is behind the head as text, while that is at hand. */
  get looseText(): string | undefined {
    return this.#text;
  }

  get front(): Deflated {
    this.pack();
    return this.#front!;
  }

  get rest(): Deflated {
    this.pack();
    return this.#rest!;
  }

  /** Lets go of the text. */
  pack(): void {
    if (this.#text === undefined) return;
    this.#front = deflateText(this.#text.slice(0, this.#frontLength));
    this.#rest = deflateText(this.#text.slice(this.#frontLength));
    this.#text = undefined;
  }
}

/** A text of its own: a slice would keep the whole value it was cut from. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}
