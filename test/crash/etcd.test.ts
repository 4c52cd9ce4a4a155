/** The same with a real etcd, which lives on: it is the server that is killed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEtcd } from '../env/etcd.ts';
import { KilledServer } from './killed-server.ts';
import { describeCrashes } from './suite.ts';

describeCrashes({
  name: 'etcd',
  rounds: 2,
  kills: 20,
  contiguous: false,
  create: async () => {
    const etcd = await startEtcd({ auth: false });
    const folder = await mkdtemp(join(tmpdir(), 'crash-etcd-'));
    const file = async (name: string, text = ''): Promise<string> => {
      await writeFile(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const { tls } = etcd.connection;
    const server = await KilledServer.create('etcd:', {
      servers: [`https://${etcd.endpoint}`],
      prefix: '/registry',
      caFile: await file('ca.crt', tls?.caCertificate),
      certFile: await file('client.crt', tls?.client?.certificate),
      keyFile: await file('client.key', tls?.client?.key),
    });
    return {
      server,
      remove: async () => {
        await etcd.remove();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});
