import { setTimeout as sleep } from 'node:timers/promises';
import type { RawAnswer, RawRequest } from '../env/raw-api.ts';
import type { KilledServer } from './killed-server.ts';
import { fillingOf, type Ticket } from './kinds.ts';
import { checkWhole, revisionOf } from './story.ts';

export const TICKETS = '/apis/crash.example.com/v1';

export function ticketsPath(namespace: string): string {
  return `${TICKETS}/namespaces/${namespace}/tickets`;
}

/** What is known to have happened to one object, in order. */
export interface Deed {
  readonly type: 'put' | 'delete';
  readonly count: number;
  /** Unknown for a delete, whose answer tells none. */
  readonly revision: number | undefined;
}

export interface Ledger {
  /** By `<namespace>/<name>`: each object has one writer. */
  readonly deeds: Map<string, Deed[]>;
  /** Revisions that the server told anybody. */
  highest: number;
  acknowledged: number;
  /** Writes that the server died on, by what came of them. */
  readonly doubts: { done: number; undone: number };
  refusedSeats: number;
}

export function newLedger(): Ledger {
  return {
    deeds: new Map(),
    highest: 0,
    acknowledged: 0,
    doubts: { done: 0, undone: 0 },
    refusedSeats: 0,
  };
}

const mergePatch = { 'Content-Type': 'application/merge-patch+json' };

/** Creates, changes and removes one object at a time, and knows at each moment what must be there. */
export class Writer {
  readonly #server: KilledServer;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  readonly #writer: string;
  readonly #namespace: string;
  #name: string;
  /** As last acknowledged or found; undefined: not there. */
  #current: Ticket | undefined;
  #count = 0;
  #names = 0;

  constructor(server: KilledServer, ledger: Ledger, random: () => number, index: number) {
    this.#server = server;
    this.#ledger = ledger;
    this.#random = random;
    this.#writer = `writer-${index}`;
    this.#namespace = `ns-${index % 3}`;
    this.#name = `${this.#writer}-0`;
  }

  async run(over: AbortSignal): Promise<void> {
    while (!over.aborted) await this.#step();
  }

  async #step(): Promise<void> {
    const chance = this.#random();
    this.#count++;
    if (this.#current === undefined) return this.#write('POST', '', this.#next(this.#current));
    if (chance < 0.15) return this.#delete();
    const next = this.#next(this.#current);
    if (chance < 0.4) {
      const { resourceVersion: _any, ...metadata } = next.metadata;
      return this.#write('PATCH', `/${this.#name}`, { ...next, metadata });
    }
    return this.#write('PUT', `/${this.#name}`, next);
  }

  #next(current: Ticket | undefined): Ticket {
    const count = this.#count;
    return {
      apiVersion: 'crash.example.com/v1',
      kind: 'Ticket',
      metadata: {
        ...current?.metadata,
        name: this.#name,
        namespace: this.#namespace,
        labels: { even: String(count % 2 === 0) },
      },
      spec: { writer: this.#writer, count, filling: fillingOf(count) },
    };
  }

  async #write(method: 'POST' | 'PUT' | 'PATCH', path: string, body: Ticket): Promise<void> {
    const headers = method === 'PATCH' ? mergePatch : {};
    const answer = await this.#server.ask(ticketsPath(this.#namespace) + path, { method, body, headers });
    const found = answer === undefined ? await this.#find() : expectTicket(answer, method === 'POST' ? 201 : 200);
    const isDone = found?.spec.count === body.spec.count;
    if (answer !== undefined) this.#ledger.acknowledged++;
    else this.#resolve(isDone, found);
    if (isDone) this.#note({ type: 'put', count: body.spec.count, revision: revisionOf(found) });
    this.#current = found;
  }

  async #delete(): Promise<void> {
    const answer = await this.#server.ask(`${ticketsPath(this.#namespace)}/${this.#name}`, { method: 'DELETE' });
    if (answer !== undefined && answer.code !== 200) throw new Error(`DELETE: ${answer.code} ${answer.text}`);
    const found = answer === undefined ? await this.#find() : undefined;
    if (answer !== undefined) this.#ledger.acknowledged++;
    else this.#resolve(found === undefined, found);
    if (found === undefined) {
      this.#note({ type: 'delete', count: this.#current!.spec.count, revision: undefined });
      // Sometimes the same name again, sometimes another.
      if (this.#random() < 0.5) this.#name = `${this.#writer}-${++this.#names}`;
    }
    this.#current = found;
  }

  /** What is there now that a server is. */
  async #find(): Promise<Ticket | undefined> {
    const answer = await untilAnswered(this.#server, `${ticketsPath(this.#namespace)}/${this.#name}`, {});
    return answer.code === 404 ? undefined : expectTicket(answer, 200);
  }

  /** A write without an answer happened wholly, or everything is as it was. @throws Error when it is neither */
  #resolve(isDone: boolean, found: Ticket | undefined): void {
    if (isDone) {
      this.#ledger.doubts.done++;
      return;
    }
    this.#ledger.doubts.undone++;
    const [was, is] = [describeState(this.#current), describeState(found)];
    if (was !== is) throw new Error(`${this.#namespace}/${this.#name} was ${was} and is ${is}`);
  }

  #note(deed: Deed): void {
    const key = `${this.#namespace}/${this.#name}`;
    const deeds = this.#ledger.deeds.get(key) ?? [];
    deeds.push(deed);
    this.#ledger.deeds.set(key, deeds);
    this.#ledger.highest = Math.max(this.#ledger.highest, deed.revision ?? 0);
  }
}

/** Asks until there is a server that answers. @throws Error when there is none for a minute */
async function untilAnswered(server: KilledServer, path: string, options: RawRequest): Promise<RawAnswer> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await server.ask(path, options);
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`nobody answers ${path}`);
    await sleep(10);
  }
}

function describeState(ticket: Ticket | undefined): string {
  return ticket === undefined ? 'absent' : `count ${ticket.spec.count} at revision ${revisionOf(ticket)}`;
}

function expectTicket(answer: RawAnswer, code: number): Ticket {
  if (answer.code !== code) throw new Error(`expected ${code}: ${answer.code} ${answer.text}`);
  const ticket = answer.json() as Ticket;
  checkWhole(ticket);
  return ticket;
}

/** Wants a seat that others want too, sits for a moment and gives it back. */
export class Sitter {
  readonly #server: KilledServer;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  readonly #name: string;
  #seats = 0;

  constructor(server: KilledServer, ledger: Ledger, random: () => number, index: number) {
    this.#server = server;
    this.#ledger = ledger;
    this.#random = random;
    this.#name = `sitter-${index}`;
  }

  async run(over: AbortSignal): Promise<void> {
    while (!over.aborted) await this.#sit(`seat-${Math.floor(this.#random() * 2)}`);
  }

  async #sit(seat: string): Promise<void> {
    const count = this.#seats++;
    const name = `${this.#name}-${count}`;
    const body = seatTicket(name, seat, count);
    const answer = await this.#server.ask(ticketsPath('ns-0'), { method: 'POST', body });
    if (answer?.code === 422 && answer.text.includes('spec.seat')) {
      this.#ledger.refusedSeats++;
      return;
    }
    if (answer !== undefined) {
      this.#ledger.highest = Math.max(this.#ledger.highest, revisionOf(expectTicket(answer, 201)));
      this.#ledger.acknowledged++;
    }
    await sleep(this.#random() * 5);
    await this.#leave(name);
  }

  async #leave(name: string): Promise<void> {
    const { code, text } = await untilAnswered(this.#server, `${ticketsPath('ns-0')}/${name}`, { method: 'DELETE' });
    if (code !== 200 && code !== 404) throw new Error(`DELETE ${name}: ${code} ${text}`);
  }
}

export function seatTicket(name: string, seat: string, count: number): Ticket {
  return {
    apiVersion: 'crash.example.com/v1',
    kind: 'Ticket',
    metadata: { name, namespace: 'ns-0', labels: { even: String(count % 2 === 0) } },
    spec: { writer: name, count, filling: fillingOf(count), seat },
  };
}
