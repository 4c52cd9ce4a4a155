import type { EtcdClient } from '../../../etcdclient/client.ts';
import { EtcdCallError } from '../../../etcdclient/call-error.ts';
import type { KeyRange, WatchAnswer, WatchEvent } from '../../../etcdclient/rpc.ts';
import { CompactedError } from '../storage.ts';

export interface WatchStreamHandler {
  /** All events of one or more revisions, in order. */
  onEvents(events: readonly WatchEvent[]): void;
  /** Everything up to `revision` has been handed to `onEvents`. */
  onProgress(revision: number): void;
}

/** One watch of a range of keys on one stream to one server. */
export class WatchStream {
  readonly #client: EtcdClient;
  #requestProgress: () => void = () => undefined;

  constructor(client: EtcdClient) {
    this.#client = client;
  }

  /** Asks etcd for `onProgress`; it answers only when it has nothing to send. */
  requestProgress(): void {
    this.#requestProgress();
  }

  /**
   * Watches from `startRevision` on until `signal` aborts; then it resolves. What a handler throws ends it, too.
   * @throws CompactedError; EtcdCallError when the stream ends, however it does
   */
  async run(range: KeyRange, startRevision: number, handler: WatchStreamHandler, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const stream = await this.#client.openStream();
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    let fragments: WatchEvent[] = [];
    try {
      const isAborted = (): boolean => signal.aborted;
      if (isAborted()) return;
      stream.write({ createRequest: { ...range, startRevision, progressNotify: true, prevKv: true, fragment: true } });
      for await (const answer of stream as AsyncIterable<WatchAnswer>) {
        if (answer.canceled) throw cancelled(answer);
        if (answer.created) {
          this.#requestProgress = () => void stream.write({ progressRequest: {} });
        } else if (answer.fragment) {
          fragments.push(...answer.events);
        } else if (answer.events.length > 0 || fragments.length > 0) {
          const events = fragments.length > 0 ? [...fragments, ...answer.events] : answer.events;
          fragments = [];
          handler.onEvents(events);
        } else {
          handler.onProgress(answer.header.revision);
        }
      }
      throw new EtcdCallError({ code: 14, details: 'the stream ended' }, 'etcd');
    } catch (error) {
      if (signal.aborted) return;
      const failure = isGrpcError(error) ? new EtcdCallError(error, 'etcd') : error;
      if (failure instanceof EtcdCallError) this.#client.streamFailed(failure.details);
      throw failure;
    } finally {
      this.#requestProgress = () => undefined;
      signal.removeEventListener('abort', cancel);
      // What comes after the end is nobody's: without a listener it would end the process.
      stream.on('error', () => undefined);
      stream.cancel();
    }
  }
}

function cancelled({ compactRevision, cancelReason }: WatchAnswer): Error {
  if (compactRevision > 0) return new CompactedError(`history begins after revision ${compactRevision}`);
  return new EtcdCallError({ code: 14, details: cancelReason === '' ? 'etcd ended the watch' : cancelReason }, 'etcd');
}

function isGrpcError(error: unknown): error is Error & { readonly code: number; readonly details: string } {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'number' &&
    'details' in error &&
    typeof error.details === 'string'
  );
}
