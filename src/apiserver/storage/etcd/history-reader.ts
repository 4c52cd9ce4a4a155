import { Backoff, type Random } from '../../../base/backoff.ts';
import type { Clock } from '../../../base/clock.ts';
import { withDeadline } from '../../../base/deadline.ts';
import { EtcdCallError } from '../../../etcdclient/call-error.ts';
import type { EtcdClient } from '../../../etcdclient/client.ts';
import type { Change, HistorySlice } from '../history.ts';
import { toChange } from './changes.ts';
import type { EtcdLayout } from './layout.ts';
import { WatchStream } from './watch-stream.ts';

export interface HistoryReaderDeps {
  readonly client: EtcdClient;
  readonly layout: EtcdLayout;
  readonly clock: Clock;
  readonly random: Random;
}

const PROGRESS_PAUSE_MS = 100;

/**
 * A piece of etcd's history: changes under `prefix` after a revision, at least as far as `until`, or `maxChanges` of them. A watch that
 * ends as soon as it has them, so that nobody's slowness holds up a connection.
 * @throws CompactedError, or the reason of an aborted signal
 */
export async function readHistorySlice(
  { client, layout, clock, random }: HistoryReaderDeps,
  wanted: {
    readonly prefix: string;
    readonly after: number;
    readonly until: number;
    readonly maxChanges: number;
    readonly maxCharacters: number;
  },
  signal: AbortSignal,
): Promise<HistorySlice> {
  const { prefix, after, until, maxChanges, maxCharacters } = wanted;
  const range = layout.objectRange(prefix);
  if (range === undefined) return { changes: [], completeTo: until, atHead: false };
  const backoff = new Backoff({ initialMs: 50, maxMs: 2_000 }, random);
  for (;;) {
    const done = new AbortController();
    using either = withDeadline([signal, done.signal], undefined, 'reading history');
    const stream = new WatchStream(client);
    const changes: Change[] = [];
    let completeTo = after;
    let characters = 0;
    const asking = askForProgress(stream, clock, either.signal);
    try {
      await stream.run(
        range,
        after + 1,
        {
          onEvents(events) {
            for (const event of events) {
              if (done.signal.aborted) return;
              const { change } = toChange(layout, event);
              // Never between changes of one revision.
              const full = changes.length >= maxChanges || characters > maxCharacters;
              if (full && change.revision > completeTo) return done.abort();
              changes.push(change);
              characters += (change.type === 'put' ? change.value.length : 0) + (change.previous?.length ?? 0);
              completeTo = change.revision;
            }
            if (completeTo >= until) done.abort();
          },
          onProgress(revision) {
            completeTo = Math.max(completeTo, revision);
            if (completeTo >= until) done.abort();
          },
        },
        either.signal,
      );
      signal.throwIfAborted();
      return { changes, completeTo, atHead: false };
    } catch (error) {
      if (!(error instanceof EtcdCallError)) throw error;
      await clock.sleep(backoff.nextMs(), signal);
    } finally {
      done.abort();
      await asking;
    }
  }
}

async function askForProgress(stream: WatchStream, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(PROGRESS_PAUSE_MS, signal).catch(() => undefined);
    stream.requestProgress();
  }
}
