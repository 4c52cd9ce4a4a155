import type { WatchFrame } from '../env/raw-api.ts';
import { fillingOf, type Ticket } from './kinds.ts';

/** One event of a watch, without what the checks do not need. */
export interface StoryEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** `<namespace>/<name>` */
  readonly key: string;
  readonly revision: number;
  readonly count: number;
  readonly seat: string | undefined;
  readonly even: boolean;
}

export function keyOf(ticket: Ticket): string {
  return `${ticket.metadata.namespace}/${ticket.metadata.name}`;
}

export function revisionOf(ticket: Ticket): number {
  return Number(ticket.metadata.resourceVersion);
}

/** @throws Error when the object is not wholly what somebody wrote */
export function checkWhole(ticket: Ticket): void {
  const { count, filling } = ticket.spec;
  const even = ticket.metadata.labels?.['even'];
  if (filling !== fillingOf(count) || even !== String(count % 2 === 0)) {
    throw new Error(`${keyOf(ticket)} is half of a write: count ${count}, ${filling.length} characters, even=${even}`);
  }
}

/** @throws Error for a frame that must not come, such as an ERROR */
export function toStoryEvent({ type, object }: WatchFrame<Ticket>): StoryEvent {
  if (type === 'ERROR' || type === 'BOOKMARK') throw new Error(`a watch said ${type}: ${JSON.stringify(object)}`);
  checkWhole(object);
  return {
    type,
    key: keyOf(object),
    revision: revisionOf(object),
    count: object.spec.count,
    seat: object.spec.seat,
    even: object.metadata.labels?.['even'] === 'true',
  };
}

/** What a watch of the even objects must be told where one of all is told `events`. `before`: the even keys that were there. */
export function evenStory(events: readonly StoryEvent[], before: ReadonlyMap<string, StoryEvent>): StoryEvent[] {
  const last = new Map(before);
  const story: StoryEvent[] = [];
  for (const event of events) {
    const was = last.get(event.key);
    const wasEven = was?.even === true;
    const isEven = event.type !== 'DELETED' && event.even;
    if (isEven) story.push({ ...event, type: wasEven ? 'MODIFIED' : 'ADDED' });
    // What leaves is told as it last was, at the revision at which it left.
    else if (wasEven) story.push({ ...was, type: 'DELETED', revision: event.revision });
    if (event.type === 'DELETED') last.delete(event.key);
    else last.set(event.key, event);
  }
  return story;
}

/** The state that `events` lead to from `before`. @throws Error where an event does not fit the state it meets */
export function replay(
  events: readonly StoryEvent[],
  before: ReadonlyMap<string, StoryEvent>,
): ReadonlyMap<string, StoryEvent> {
  const state = new Map(before);
  let revision = 0;
  for (const event of events) {
    if (event.revision <= revision) throw new Error(`revision ${event.revision} comes after ${revision}`);
    revision = event.revision;
    if (state.has(event.key) === (event.type === 'ADDED')) throw new Error(`${event.type} ${event.key} at ${revision}`);
    if (event.type === 'DELETED') state.delete(event.key);
    else state.set(event.key, event);
    checkSeats(state, revision);
  }
  return state;
}

function checkSeats(state: ReadonlyMap<string, StoryEvent>, revision: number): void {
  const holders = new Map<string, string>();
  for (const { key, seat } of state.values()) {
    if (seat === undefined) continue;
    const other = holders.get(seat);
    if (other !== undefined) throw new Error(`at revision ${revision} both ${other} and ${key} hold the seat ${seat}`);
    holders.set(seat, key);
  }
}
