/** Entry point of the writing thread: commits wait for the disk here, so that the main thread never does. */
import type { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { CommitRequest, WriterReply, WriterRequest } from './protocol.ts';
import { openWriter } from './schema.ts';
import { toStorageFailure } from './sqlite-error.ts';
import { Writer } from './writer.ts';

/** A group ends at so many commits or characters, so that no commit waits for too large a transaction. */
const GROUP_COMMITS = 512;
const GROUP_CHARACTERS = 8 * 1024 * 1024;

function serve(port: MessagePort, path: string): void {
  const send = (reply: WriterReply) => port.postMessage(reply);
  let db: DatabaseSync;
  let writer: Writer;
  try {
    db = openWriter(path);
    writer = new Writer(db, path);
  } catch (error) {
    const { failure, message } = toStorageFailure(error, path);
    send({ type: 'refused', failure, message });
    port.close();
    return;
  }
  send({ type: 'ready', revision: writer.revision });

  let group: CommitRequest[] = [];
  let characters = 0;
  const flush = () => {
    if (group.length > 0) {
      const outcomes = writer.applyGroup(group);
      group = [];
      characters = 0;
      send({ type: 'group', outcomes });
    }
  };
  const handle = (request: WriterRequest) => {
    if (request.type === 'commit') {
      group.push(request);
      characters += request.write.value?.length ?? 0;
      if (group.length >= GROUP_COMMITS || characters >= GROUP_CHARACTERS) {
        flush();
      }
      return;
    }
    flush();
    if (request.type === 'compact') {
      send({ type: 'compaction', outcome: writer.compact(request) });
    } else {
      db.close();
      send({ type: 'closed' });
      port.close();
    }
  };
  port.on('message', (first: WriterRequest) => {
    handle(first);
    // Whatever arrived while the last group waited for the disk shares the next wait.
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      handle(next.message as WriterRequest);
    }
    flush();
  });
}

serve(parentPort!, (workerData as { readonly path: string }).path);
