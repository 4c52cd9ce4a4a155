import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { KubeList } from '../../src/apimachinery/object.ts';
import { Follower } from './follower.ts';
import type { KilledServer } from './killed-server.ts';
import type { Ticket } from './kinds.ts';
import { evenStory, keyOf, replay, revisionOf, toStoryEvent, type StoryEvent } from './story.ts';
import { newLedger, seatTicket, Sitter, TICKETS, ticketsPath, Writer, type Ledger } from './writers.ts';

export interface OrdealOptions {
  readonly server: KilledServer;
  readonly random: () => number;
  /** Whether every revision is a write of ours: true where nobody else writes to the store. */
  readonly contiguous: boolean;
}

const WRITERS = 8;
const SITTERS = 3;
/** One kill in so many comes while the server is starting. */
const EARLY = 8;

/** Crashes under load, and what must be true of a server afterwards. */
export class Ordeal {
  readonly ledger: Ledger = newLedger();
  kills = 0;
  /** Of these, so many before the server was ready. */
  earlyKills = 0;
  readonly #options: OrdealOptions;
  readonly #followers: Follower[] = [];
  readonly #writers: readonly (Writer | Sitter)[];
  #checkedDeeds = new Map<string, number>();
  #markers = 0;

  constructor(options: OrdealOptions) {
    const { server, random } = options;
    this.#options = options;
    this.#writers = [
      ...Array.from({ length: WRITERS }, (_, index) => new Writer(server, this.ledger, random, index)),
      ...Array.from({ length: SITTERS }, (_, index) => new Sitter(server, this.ledger, random, index)),
    ];
  }

  get resumed(): number {
    return Math.min(...this.#followers.map(({ resumed }) => resumed));
  }

  /** The first start. */
  async begin(): Promise<void> {
    await this.#options.server.start();
    const { metadata } = await this.#list();
    const from = Number(metadata.resourceVersion);
    const follow = (name: string, path: string): void =>
      void this.#followers.push(new Follower(name, this.#options.server, path, from));
    follow('all', `${TICKETS}/tickets?`);
    follow('all, with bookmarks', `${TICKETS}/tickets?allowWatchBookmarks=true`);
    follow('one namespace', `${ticketsPath('ns-0')}?`);
    follow('even ones', `${TICKETS}/tickets?labelSelector=even%3Dtrue`);
  }

  /** Kills the server `kills` times under load, lets it come to rest and checks everything that happened. */
  async run(kills: number): Promise<void> {
    const start = await this.#list();
    const before = stateOf(start);
    const from = Number(start.metadata.resourceVersion);
    for (const follower of this.#followers) follower.events.length = 0;

    const writing = new AbortController();
    const following = new AbortController();
    const load = Promise.all(this.#writers.map((writer) => writer.run(writing.signal)));
    const follow = Promise.all(this.#followers.map((follower) => follower.run(following.signal)));
    const failed = Promise.all([load, follow]).then(() => undefined);
    try {
      await Promise.race([this.#kill(kills), failed]);
      writing.abort();
      await load;
      const end = await this.#mark();
      await this.#untilSeen(end, failed);
      following.abort();
      await follow;
      await this.#check(before, from, end);
    } finally {
      writing.abort();
      following.abort();
      await Promise.allSettled([load, follow]);
    }
  }

  async #kill(kills: number): Promise<void> {
    const { server, random } = this.#options;
    for (let kill = 0; kill < kills; kill++) {
      await sleep(5 + random() * 250);
      await server.kill();
      this.kills++;
      while (random() < 1 / EARLY) {
        const isReady = server.start();
        await sleep(20 + random() * 400);
        await server.kill();
        await isReady;
        this.kills++;
        this.earlyKills++;
        kill++;
      }
      await server.start();
      await this.#list();
      const acknowledged = this.ledger.acknowledged;
      // So that the next crash, too, has something to lose.
      while (this.ledger.acknowledged < acknowledged + 5) await sleep(5);
    }
  }

  #highest(): number {
    return Math.max(this.ledger.highest, ...this.#followers.map(({ position }) => position));
  }

  /** Never older than anything that anybody had been told before. */
  async #list(): Promise<KubeList<Ticket>> {
    const highest = this.#highest();
    const answer = await this.#options.server.ask(`${TICKETS}/tickets`);
    if (answer?.code !== 200) throw new Error(`a list got ${answer?.code ?? 'no answer'} ${answer?.text ?? ''}`);
    const list = answer.json() as KubeList<Ticket>;
    expect(Number(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(highest);
    return list;
  }

  /** A last write that every follower is told of. */
  async #mark(): Promise<number> {
    const name = `marker-${this.#markers++}`;
    const body = seatTicket(name, name, 0);
    const answer = await this.#options.server.ask(ticketsPath('ns-0'), { method: 'POST', body });
    if (answer?.code !== 201) throw new Error(`the marker got ${answer?.code ?? 'no answer'}`);
    return revisionOf(answer.json() as Ticket);
  }

  async #untilSeen(revision: number, failed: Promise<void>): Promise<void> {
    const deadline = Date.now() + 30_000;
    let isFailed = false;
    void failed.finally(() => (isFailed = true)).catch(() => undefined);
    while (this.#followers.some(({ position }) => position < revision)) {
      if (isFailed) return failed;
      if (Date.now() > deadline) {
        const late = this.#followers.filter(({ position }) => position < revision);
        throw new Error(late.map(({ name, position }) => `${name} is at ${position} of ${revision}`).join('; '));
      }
      await sleep(10);
    }
  }

  async #check(before: ReadonlyMap<string, StoryEvent>, from: number, end: number): Promise<void> {
    const story = await this.#story(from, end);
    if (this.#options.contiguous) {
      expect(story.map(({ revision }) => revision)).toEqual(story.map((_, index) => from + 1 + index));
    }
    const after = replay(story, before);
    const list = await this.#list();
    expect(revisionsOf(stateOf(list))).toEqual(revisionsOf(after));
    const expected = [
      story,
      story,
      story.filter(({ key }) => key.startsWith('ns-0/')),
      evenStory(story, before),
    ] as const;
    for (const [index, follower] of this.#followers.entries()) {
      expect(follower.events.map(line), follower.name).toEqual(expected[index]!.map(line));
    }
    this.#checkDeeds(story);
  }

  /** What a watch that starts at the beginning of this round, many crashes ago, is told now. */
  async #story(from: number, end: number): Promise<readonly StoryEvent[]> {
    const stream = await this.#options.server.watch<Ticket>(`${TICKETS}/tickets?watch=true&resourceVersion=${from}`);
    if (stream === undefined) throw new Error('no server to tell the story');
    await stream.next(({ object }) => revisionOf(object) >= end, 60_000);
    stream.close();
    return stream.frames.map(toStoryEvent);
  }

  /** Each object has one writer, so what it knows of it must be the story of that object, to the last write. */
  #checkDeeds(story: readonly StoryEvent[]): void {
    const told = new Map<string, string[]>();
    for (const { type, key, count, revision } of story) {
      const deed = type === 'DELETED' ? `delete ${count}` : `put ${count} at ${revision}`;
      told.set(key, [...(told.get(key) ?? []), deed]);
    }
    for (const [key, deeds] of this.ledger.deeds) {
      const done = deeds
        .slice(this.#checkedDeeds.get(key) ?? 0)
        .map(({ type, count, revision }) => (type === 'delete' ? `delete ${count}` : `put ${count} at ${revision}`));
      expect(told.get(key) ?? [], key).toEqual(done);
      this.#checkedDeeds.set(key, deeds.length);
    }
  }
}

function stateOf({ items }: KubeList<Ticket>): ReadonlyMap<string, StoryEvent> {
  return new Map(items.map((object) => [keyOf(object), toStoryEvent({ type: 'ADDED', object })]));
}

function revisionsOf(state: ReadonlyMap<string, StoryEvent>): Record<string, number> {
  return Object.fromEntries([...state].map(([key, { revision }]) => [key, revision]));
}

function line({ type, key, revision, count }: StoryEvent): string {
  return `${revision} ${type} ${key} ${count}`;
}
