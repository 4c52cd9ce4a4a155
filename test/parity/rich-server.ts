/**
 * Serves the rich kinds on our engine, behind the aggregation layer: the same engine as the product's, without the product's rules.
 * It believes the identity headers of whoever connects, and is only for the network namespace of a test.
 *
 * usage: rich-server.ts ADDRESS PORT FOLDER
 */
import { createApiServer } from '../../src/apiserver/server.ts';
import { SqliteStorage } from '../../src/apiserver/storage/sqlite/sqlite-storage.ts';
import { fixedTlsSource } from '../../src/apiserver/tls-source.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createLogger } from '../../src/base/log.ts';
import { createMetrics } from '../../src/base/metrics.ts';
import { newTestAuthority } from '../env/certificates.ts';
import { plainDefinition, sampleDefinition } from './rich-definition.ts';

const [address = '', port = '', folder = ''] = process.argv.slice(2);
const storage = await SqliteStorage.open({ path: `${folder}/rich.db`, clock: systemClock });
const { key, certificate } = await (
  await newTestAuthority()
).issue({ commonName: 'rich', names: ['rich.kamaji-system.svc'] });

const server = createApiServer({
  definitions: [sampleDefinition, plainDefinition],
  storage,
  clock: systemClock,
  log: createLogger({ clock: systemClock, level: 'info' }),
  metrics: createMetrics(),
  version: '0.1.0',
  authenticators: [
    {
      authenticate({ rawHeaders }) {
        const values = (wanted: string): readonly string[] =>
          rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted);
        const [name] = values('x-remote-user');
        const groups = [...values('x-remote-group'), 'system:authenticated'];
        return Promise.resolve(name === undefined ? undefined : { user: { name, groups, extra: {} } });
      },
    },
  ],
  authorizer: { authorize: () => Promise.resolve({ allowed: true, reason: '' }) },
  admission: [],
});
await server.start({ host: address, port: Number(port), tls: fixedTlsSource({ key, cert: certificate }) });
process.once('SIGTERM', () => {
  void server
    .stop({ drainMs: 2_000 })
    .then(() => storage.close())
    .then(() => process.exit(0));
});
