import { setTimeout as sleep } from 'node:timers/promises';
import type { KilledServer } from './killed-server.ts';
import type { Ticket } from './kinds.ts';
import { toStoryEvent, type StoryEvent } from './story.ts';

/** Follows a collection through all crashes, each time from the last revision that it has seen, as an informer does. */
export class Follower {
  readonly name: string;
  readonly events: StoryEvent[] = [];
  /** How often it came back after its stream broke off. */
  resumed = 0;
  readonly #server: KilledServer;
  readonly #path: string;
  #from: number;

  /** `path`: of the collection, with a query. */
  constructor(name: string, server: KilledServer, path: string, from: number) {
    this.name = name;
    this.#server = server;
    this.#path = path;
    this.#from = from;
  }

  /** Everything up to this revision has been seen. */
  get position(): number {
    return this.#from;
  }

  /** @throws Error for an event that must not come */
  async run(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const stream = await this.#server.watch<Ticket>(`${this.#path}&watch=true&resourceVersion=${this.#from}`);
      if (stream === undefined) {
        await sleep(10);
        continue;
      }
      if (stream.code !== 200) throw new Error(`${this.name}: a watch from ${this.#from} got ${stream.code}`);
      const close = (): void => stream.close();
      over.addEventListener('abort', close, { once: true });
      let taken = 0;
      const take = (): void => {
        for (; taken < stream.frames.length; taken++) this.#take(stream.frames[taken]!);
      };
      const isOver = stream.ended.then(() => true);
      while (!(await Promise.race([isOver, sleep(20, false)]))) take();
      take();
      over.removeEventListener('abort', close);
      this.resumed++;
    }
  }

  #take(frame: Parameters<typeof toStoryEvent>[0]): void {
    if (frame.type === 'BOOKMARK') {
      // Says that nothing up to here is missing: whoever resumes there must miss nothing.
      const told = Number(frame.object.metadata.resourceVersion);
      if (told < this.#from) throw new Error(`${this.name}: a bookmark at ${told} after ${this.#from}`);
      this.#from = told;
      return;
    }
    const event = toStoryEvent(frame);
    if (event.revision <= this.#from) throw new Error(`${this.name}: revision ${event.revision} after ${this.#from}`);
    this.events.push(event);
    this.#from = event.revision;
  }
}
