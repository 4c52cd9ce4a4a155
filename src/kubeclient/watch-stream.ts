import type { KubeObject } from '../apimachinery/object.ts';
import type { Status } from '../apimachinery/status.ts';
import { ApiError, ProtocolError } from './api-error.ts';
import type { WatchEvent } from './client.ts';

/** An object of etcd has at most some megabytes; a longer line is not an event. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * Splits a watch into its events, one JSON object a line. Whatever is no event is an error: skipping it would lose a change for good.
 * @throws ApiError for an error event (410: start over), ProtocolError for a line that is none.
 */
export async function* readWatchEvents<T extends KubeObject>(
  chunks: AsyncIterable<Buffer>,
  context: string,
): AsyncGenerator<WatchEvent<T>> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, end));
      const line = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      if (line.length > 1) yield parseWatchEvent<T>(line.toString('utf8'), context);
    }
    if (start < chunk.length) {
      pending.push(start === 0 ? chunk : chunk.subarray(start));
      pendingBytes += chunk.length - start;
      if (pendingBytes > MAX_LINE_BYTES)
        throw new ProtocolError(`${context}: an event is larger than ${MAX_LINE_BYTES} bytes`);
    }
  }
  if (pendingBytes > 0) throw new ProtocolError(`${context}: the watch ended in the middle of an event`);
}

function parseWatchEvent<T extends KubeObject>(line: string, context: string): WatchEvent<T> {
  let event: { readonly type?: unknown; readonly object?: unknown };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw new ProtocolError(`${context}: an event is not JSON`, { cause: error });
  }
  const object = event.object as T | undefined;
  if (typeof object !== 'object' || object === null) throw new ProtocolError(`${context}: an event without object`);
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object };
    case 'BOOKMARK':
      return { type: 'BOOKMARK', resourceVersion: object.metadata?.resourceVersion ?? '' };
    case 'ERROR': {
      const status = object as unknown as Status;
      throw new ApiError(`${context}: ${status.message ?? 'the watch failed'}`, status.code ?? 500, status);
    }
    default:
      throw new ProtocolError(`${context}: an event of unknown type ${JSON.stringify(event.type)}`);
  }
}
