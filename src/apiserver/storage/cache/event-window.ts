import type { CachedItem } from './cached-item.ts';

/** A change with both states as cached items, so that what is found out about them is found out once. */
export class CachedEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  readonly current: CachedItem | undefined;
  readonly before: CachedItem | undefined;

  constructor(
    type: 'put' | 'delete',
    key: string,
    revision: number,
    current: CachedItem | undefined,
    before: CachedItem | undefined,
  ) {
    this.type = type;
    this.key = key;
    this.revision = revision;
    this.current = current;
    this.before = before;
  }
}

/** The newest events, in the order of their revisions; the oldest give way. */
export class EventWindow {
  readonly #maxEvents: number;
  #events: CachedEvent[] = [];
  /** Number of the first event that is kept; events are numbered from 0 on. */
  #first = 0;
  /** Every event above this revision is here. */
  #floor: number;

  constructor(maxEvents: number, revision: number) {
    this.#maxEvents = maxEvents;
    this.#floor = revision;
  }

  get floor(): number {
    return this.#floor;
  }

  /** Number of the next event to come. */
  get end(): number {
    return this.#first + this.#events.length;
  }

  add(event: CachedEvent): void {
    this.#events.push(event);
    if (this.#events.length <= this.#maxEvents) return;
    // Many at a time, since taking from the front moves all others.
    const surplus = Math.max(1, this.#events.length - Math.floor(this.#maxEvents * 0.9));
    this.#floor = this.#events[surplus - 1]!.revision;
    this.#events.splice(0, surplus);
    this.#first += surplus;
  }

  /** Undefined once it has given way. */
  at(number: number): CachedEvent | undefined {
    return this.#events[number - this.#first];
  }

  /** Number of the first event above `revision`. */
  after(revision: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#first + low;
  }

  has(number: number): boolean {
    return number >= this.#first;
  }

  /** What was at each key that has changed since `revision`, as of then. `revision` is not below the floor. */
  before(revision: number): ReadonlyMap<string, CachedItem | undefined> {
    const states = new Map<string, CachedItem | undefined>();
    const first = this.after(revision);
    for (let number = this.end - 1; number >= first; number--) {
      const event = this.at(number)!;
      states.set(event.key, event.before);
    }
    return states;
  }
}
