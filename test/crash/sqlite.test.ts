/** The server dies two hundred times in the middle of writes, on SQLite. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KilledServer } from './killed-server.ts';
import { describeCrashes } from './suite.ts';

describeCrashes({
  name: 'SQLite',
  rounds: 10,
  kills: 20,
  contiguous: true,
  create: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'crash-sqlite-'));
    return {
      server: await KilledServer.create(`sqlite://${join(folder, 'test.db')}`),
      remove: () => rm(folder, { recursive: true, force: true }),
    };
  },
});
