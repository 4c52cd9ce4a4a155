import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Timer } from '../../base/clock.ts';
import { TimeoutError, withDeadline } from '../../base/deadline.ts';
import { StatusError, isStatusError, newInternalError } from '../../apimachinery/status.ts';
import { SlowConsumerError } from '../storage/storage.ts';
import { newPartialObject, newTable } from '../../apimachinery/table.ts';
import type { ListOptions } from '../options.ts';
import { parseListOptions } from '../options.ts';
import type { Stored } from '../registry/codec.ts';
import type { Selection } from '../registry/selection.ts';
import type { WatchItem, WatchSink } from '../registry/watcher.ts';
import { addWarnings, textOf } from '../response.ts';
import type { AnswerForm } from './answer.ts';
import { formatObject, negotiateAnswer, rowObject } from './answer.ts';
import { auditOf } from '../audit/record.ts';
import type { Exchange } from './exchange.ts';
import { selectionOf } from './selection.ts';

/** Watches end after a random time between this and twice this, so that clients do not come back all at once. */
const minTimeoutMs = 1_800_000;
/** When bookmarks are sent, as k8s.io/apiserver/pkg/storage/cacher/cache_watcher.go, nextBookmarkTime. */
const bookmarkPeriodMs = 60_000;
const lastBookmarkBeforeEndMs = 2_000;
/** How long the last bookmark waits for news from the storage. */
const progressPatienceMs = 1_000;
/** A client that takes nothing for so long is cut off. */
const stalledAfterMs = 30_000;

/** Events of a collection until the client goes, the timeout passes or the server stops. handlers/watch.go. */
export async function handleWatch(exchange: Exchange): Promise<void> {
  const form = negotiateAnswer(exchange, 'stream');
  const options = parseListOptions(exchange.context.query);
  await serveWatch(exchange, form, selectionOf(exchange), { ...options, watch: true });
}

async function serveWatch(
  exchange: Exchange,
  form: AnswerForm,
  selection: Selection,
  options: ListOptions,
): Promise<void> {
  const { context, endpoint } = exchange;
  const timeoutMs = options.timeoutSeconds ? options.timeoutSeconds * 1000 : minTimeoutMs * (1 + endpoint.random());
  using life = withDeadline([context.signal], timeoutMs, 'the watch', endpoint.clock);
  const stream = new WatchStream(exchange, form, options.allowWatchBookmarks);
  const items = await endpoint.watcher.open(endpoint.resource, selection, options, life.signal, stream);
  await stream.run(items, timeoutMs, life.signal);
  stream.end();
}

class WatchStream implements WatchSink {
  readonly #exchange: Exchange;
  readonly #response: ServerResponse;
  readonly #form: AnswerForm;
  readonly #allowBookmarks: boolean;
  /** Everything up to it has been sent, once `#isComplete`: what is there at first comes in the order of names. */
  #revision = 0;
  #isComplete = false;
  /** The last bookmark waits for the storage to say how far it is. */
  #bookmarkDue = false;
  #sentColumns = false;
  /** Bytes of the budget that we hold. */
  #underWay = 0;
  /** The connection has enough to do for now. */
  #isFull = false;

  constructor(exchange: Exchange, form: AnswerForm, allowBookmarks: boolean) {
    this.#exchange = exchange;
    this.#response = exchange.response;
    this.#form = form;
    this.#allowBookmarks = allowBookmarks;
    this.#response.once('close', () => this.#left(this.#underWay));
    this.#response.on('drain', () => (this.#isFull = false));
  }

  async run(items: AsyncIterable<WatchItem>, timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#open();
    const stopBookmarks = this.#allowBookmarks ? this.#scheduleBookmarks(timeoutMs) : () => undefined;
    try {
      for await (const item of items) await this.#send(item, signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    } finally {
      stopBookmarks();
    }
  }

  /** One a minute, and one shortly before the end that is as new as can be; answers the way to stop. */
  #scheduleBookmarks(timeoutMs: number): () => void {
    const { clock, watcher } = this.#exchange.endpoint;
    const endMs = clock.monotonic() + timeoutMs;
    let timer: Timer | undefined;
    const schedule = (): void => {
      const untilLastMs = endMs - clock.monotonic() - lastBookmarkBeforeEndMs;
      if (untilLastMs <= 0) return;
      if (untilLastMs > bookmarkPeriodMs) {
        timer = clock.setTimer(bookmarkPeriodMs, () => {
          this.#writeBookmark(false);
          schedule();
        });
        return;
      }
      timer = clock.setTimer(untilLastMs, () => {
        this.#bookmarkDue = true;
        watcher.requestProgress();
        timer = clock.setTimer(progressPatienceMs, () => this.#writeDueBookmark());
      });
    };
    schedule();
    return () => timer?.cancel();
  }

  #open(): void {
    const { request, response } = this.#exchange;
    response.statusCode = 200;
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Cache-Control', 'no-cache, private');
    if (this.#exchange.context.isProxied) response.removeHeader('Cache-Control');
    addWarnings(request, response);
    // A client waits for the headers before it believes in the watch.
    response.flushHeaders();
    auditOf(this.#exchange.context)?.started();
  }

  pause(): Promise<void> | undefined {
    return this.#exchange.endpoint.watcher.budget.pause();
  }

  take(item: WatchItem): boolean {
    if (this.#isFull || this.#response.destroyed) return false;
    this.#sendNow(item);
    return true;
  }

  async #send(item: WatchItem, signal: AbortSignal): Promise<void> {
    if (this.#isFull) await this.#drained(signal);
    if (item.type !== 'PROGRESS' && item.type !== 'INITIAL_EVENTS_END') {
      for (let pause = this.pause(); pause !== undefined; pause = this.pause()) await pause;
      if (signal.aborted || this.#response.destroyed) return;
    }
    this.#sendNow(item);
    if (this.#isFull) await this.#drained(signal);
  }

  #sendNow(item: WatchItem): void {
    if (item.type === 'PROGRESS') {
      this.#revision = Math.max(this.#revision, item.revision);
      this.#isComplete = true;
      this.#writeDueBookmark();
      return;
    }
    if (item.type === 'INITIAL_EVENTS_END') {
      this.#revision = item.revision;
      if (this.#allowBookmarks) this.#writeBookmark(true);
      return;
    }
    const frame = this.#frame(item);
    this.#sentColumns = true;
    this.#revision = Math.max(this.#revision, item.stored.revision);
    this.#exchange.endpoint.watcher.budget.take(frame.length);
    this.#underWay += frame.length;
    this.#isFull = !this.#write(frame, () => this.#left(frame.length));
  }

  /** So many bytes have left, or will never: a connection that is gone takes what it held with it. */
  #left(bytes: number): void {
    const given = Math.min(bytes, this.#underWay);
    this.#underWay -= given;
    this.#exchange.endpoint.watcher.budget.giveBack(given);
  }

  /** The same bytes go to everybody who watches in the same form. */
  #frame({ type, stored }: Extract<WatchItem, { readonly stored: Stored }>): Buffer {
    const { resource, clock } = this.#exchange.endpoint;
    const { convert, includeObject } = this.#form;
    const isTable = convert?.kind === 'Table';
    const columns = this.#sentColumns ? null : resource.table.columns;
    const nowMs = clock.now();
    const name =
      convert === undefined
        ? type
        : `${type} ${convert.kind} ${convert.version}` +
          (isTable ? ` ${includeObject} ${columns === null} ${Math.floor(nowMs / 1000)}` : '');
    return stored.frame(name, () => {
      const body = formatObject(convert, includeObject, resource.table, nowMs, stored, columns);
      return frameText(type, textOf(body));
    });
  }

  #write(frame: Buffer | string, left?: () => void): boolean {
    this.#exchange.endpoint.countWatchEvent();
    return this.#response.write(frame, left);
  }

  async #drained(signal: AbortSignal): Promise<void> {
    using patience = withDeadline([signal], stalledAfterMs, 'the client', this.#exchange.endpoint.clock);
    try {
      await once(this.#response, 'drain', { signal: patience.signal });
    } catch (error) {
      if (patience.signal.reason instanceof TimeoutError) throw new SlowConsumerError('the client reads nothing');
      throw error;
    }
  }

  #writeDueBookmark(): void {
    if (!this.#bookmarkDue) return;
    this.#bookmarkDue = false;
    this.#writeBookmark(false);
  }

  #writeBookmark(initialEventsEnd: boolean): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    if (!initialEventsEnd && !this.#isComplete) return;
    const annotations = initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata = { ...annotations, resourceVersion: String(this.#revision) };
    this.#write(frameText('BOOKMARK', JSON.stringify(this.#bookmarkObject(metadata))));
  }

  #bookmarkObject(metadata: { readonly resourceVersion: string }): object {
    const { resource } = this.#exchange.endpoint;
    const { convert, includeObject } = this.#form;
    const object = { kind: resource.kind, apiVersion: resource.apiVersion, metadata };
    if (convert === undefined) return object;
    if (convert.kind !== 'Table') return newPartialObject(convert.version, metadata);
    const columns = this.#sentColumns ? null : resource.table.columns;
    this.#sentColumns = true;
    const row = {
      cells: resource.table.cells(object, this.#exchange.endpoint.clock.now()),
      // The annotation that ends the initial events must reach the client whatever it asked for.
      object: rowObject(
        convert,
        includeObject === 'None' && 'annotations' in metadata ? 'Metadata' : includeObject,
        object,
      ),
    };
    return newTable(convert.version, { resourceVersion: metadata.resourceVersion }, columns, [row]);
  }

  /** The headers are out, so an error travels as an event. */
  #fail(error: unknown): void {
    if (this.#response.destroyed) return;
    if (error instanceof SlowConsumerError) {
      // It would not read an error event either; it comes back where it was.
      this.#response.destroy();
      return;
    }
    const status = isStatusError(error) ? error.status : newInternalError('the watch broke off').status;
    this.#write(frameText('ERROR', JSON.stringify(status)));
    if (!(error instanceof StatusError)) throw error;
  }

  end(): void {
    this.#response.end();
  }
}

function frameText(type: string, objectText: string): string {
  return `{"type":"${type}","object":${objectText}}\n`;
}
