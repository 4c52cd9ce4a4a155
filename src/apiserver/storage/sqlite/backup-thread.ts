/** Entry point of a short-lived thread that copies the database while it is in use. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const { path, target } = workerData as { readonly path: string; readonly target: string };
const db = new DatabaseSync(path, { timeout: 5000 });
try {
  // A consistent snapshot without free pages; writers go on meanwhile.
  db.prepare('VACUUM INTO ?').run(target);
  parentPort!.postMessage('done');
} finally {
  db.close();
}
