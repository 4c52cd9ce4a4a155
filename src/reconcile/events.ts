import type { KubeObject } from '../apimachinery/object.ts';
import { formatTimestamp } from '../apimachinery/time.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import type { Random } from '../base/backoff.ts';
import type { Logger } from '../base/log.ts';
import { redact } from '../base/redact.ts';
import { isNotFound } from '../kubeclient/api-error.ts';
import type { KubeClient } from '../kubeclient/client.ts';
import type { KubeEvent, ObjectReference } from '../kubeclient/kinds.ts';
import { EVENTS } from '../kubeclient/resources.ts';

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** Who reports, as `kamaji-controller`. */
  readonly component: string;
  /** Which process of it. */
  readonly instance: string;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/** Tells users what happened to their object, where `kubectl describe` shows it. */
export interface EventRecorder {
  /** Queues the Event and returns; it is written by `run`. Never throws. */
  event(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Writes Events until `signal` aborts, then those still queued. What cannot be written is logged. */
  run(signal: AbortSignal): Promise<void>;
}

/** The same Event again within this time counts up instead of making another. */
const SAME_WITHIN_MS = 600_000;
/** Different Events of one object: so many at once, and then one for each refill (client-go's tools/record/events_cache.go). */
const BURST = 25;
const REFILL_MS = 300_000;
const MAX_REMEMBERED = 4096;
const MAX_QUEUED = 1000;
const MAX_MESSAGE = 1024;
const LAST_WRITES_MS = 2_000;

interface Remembered {
  readonly event: Omit<KubeEvent, 'count' | 'lastTimestamp'>;
  readonly firstMs: number;
  lastMs: number;
  count: number;
  written: boolean;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new QueuedRecorder(options);
}

class QueuedRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #remembered = new Map<string, Remembered>();
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();
  readonly #queue = new Map<string, Remembered>();
  #wake: (() => void) | undefined;
  #dropped = 0;
  /** Tells names made in one millisecond apart; starts anywhere, so that two processes seldom meet. */
  #sequence: number;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#sequence = Math.floor((options.random ?? Math.random)() * 0x10000);
  }

  event(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const text = shorten(String(redact(message)));
    const reference = referenceTo(object);
    const id = JSON.stringify([reference.uid, reference.kind, reference.namespace, reference.name, type, reason, text]);
    const nowMs = this.#clock.now();
    let remembered = this.#remembered.get(id);
    if (remembered && nowMs - remembered.lastMs > SAME_WITHIN_MS) remembered = undefined;
    if (!remembered && (!this.#allow(reference, nowMs) || this.#queue.size >= MAX_QUEUED)) {
      this.#dropped++;
      return;
    }
    remembered ??= this.#newEvent(reference, type, reason, text, nowMs);
    remembered.count++;
    remembered.lastMs = nowMs;
    remember(this.#remembered, id, remembered);
    this.#queue.set(id, remembered);
    this.#wake?.();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#writeQueued(signal);
      if (this.#queue.size === 0) await this.#somethingQueued(signal);
    }
    await this.#writeQueued(AbortSignal.timeout(LAST_WRITES_MS));
  }

  async #writeQueued(signal: AbortSignal): Promise<void> {
    for (const [id, remembered] of this.#queue) {
      if (signal.aborted) return;
      this.#queue.delete(id);
      try {
        await this.#write(remembered, signal);
      } catch (error) {
        const { reason, involvedObject } = remembered.event;
        if (signal.aborted) this.#queue.set(id, remembered);
        else this.#options.log.warn('cannot write an event', { reason, object: involvedObject, error });
      }
    }
    if (this.#dropped > 0) {
      this.#options.log.warn('events were dropped: too many for one object, or too many queued', {
        dropped: this.#dropped,
      });
      this.#dropped = 0;
    }
  }

  async #write(remembered: Remembered, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const { event, count, lastMs } = remembered;
    const { name = '', namespace = '' } = event.metadata;
    const changing = { count, lastTimestamp: formatTimestamp(lastMs) };
    if (remembered.written) {
      try {
        await client.mergePatch(EVENTS, namespace, name, changing, { signal, timeoutMs: 10_000 });
        return;
      } catch (error) {
        // It was cleared away meanwhile, as Events are: make it again.
        if (!isNotFound(error)) throw error;
      }
    }
    await client.create(EVENTS, { ...event, ...changing }, { signal, timeoutMs: 10_000 });
    remembered.written = true;
  }

  #somethingQueued(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener('abort', wake, { once: true });
      if (signal.aborted) wake();
    });
  }

  #allow(reference: ObjectReference, nowMs: number): boolean {
    const id = JSON.stringify([reference.uid, reference.kind, reference.namespace, reference.name]);
    const bucket = this.#buckets.get(id) ?? { tokens: BURST, atMs: nowMs };
    const refilled = Math.min(BURST, bucket.tokens + (nowMs - bucket.atMs) / REFILL_MS);
    const allowed = refilled >= 1;
    remember(this.#buckets, id, { tokens: allowed ? refilled - 1 : refilled, atMs: nowMs });
    return allowed;
  }

  #newEvent(
    reference: ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    nowMs: number,
  ): Remembered {
    const { component, instance } = this.#options;
    this.#sequence = (this.#sequence + 1) % 0x10000;
    const suffix = nowMs.toString(16) + this.#sequence.toString(16).padStart(4, '0');
    const stem = (reference.name ?? '')
      .toLowerCase()
      .replace(/[^a-z0-9.-]+/g, '-')
      .slice(0, 200)
      .replace(/^[.-]+|[.-]+$/g, '');
    const event: Remembered['event'] = {
      apiVersion: 'v1',
      kind: 'Event',
      // Events of cluster-scoped objects live in the namespace default.
      metadata: { name: `${stem === '' ? 'event' : stem}.${suffix}`, namespace: reference.namespace ?? 'default' },
      involvedObject: reference,
      type,
      reason,
      message,
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
      firstTimestamp: formatTimestamp(nowMs),
    };
    return { event, firstMs: nowMs, lastMs: nowMs, count: 0, written: false };
  }
}

function referenceTo(object: KubeObject): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    ...(namespace ? { namespace } : {}),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

function shorten(text: string): string {
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`;
}

/** Sets as the newest, and drops the oldest when there are too many. */
function remember<V>(map: Map<string, V>, id: string, value: V): void {
  map.delete(id);
  map.set(id, value);
  if (map.size > MAX_REMEMBERED) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
}
