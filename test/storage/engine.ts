import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { createMetrics } from '../../src/base/metrics.ts';
import { createCertificateAuthority, issueCertificate, openAuthority } from '../../src/pki/issue.ts';
import { createLoopback } from '../../src/apiserver/authentication/loopback.ts';
import type { ResourceDefinition } from '../../src/apiserver/registry/definition.ts';
import { createApiServer } from '../../src/apiserver/server.ts';
import type { Storage } from '../../src/apiserver/storage/storage.ts';
import { fixedTlsSource, type TlsMaterial } from '../../src/apiserver/tls-source.ts';

export interface Engine {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  /** The only way in. */
  readonly token: string;
  /** Ends watches and requests; the storage stays open. */
  stop(): Promise<void>;
}

export interface EngineTls {
  readonly material: TlsMaterial;
  /** PEM of the authority that vouches for it. */
  readonly ca: string;
}

export async function newEngineTls(): Promise<EngineTls> {
  const now = new Date();
  const ca = await createCertificateAuthority({ subject: { commonName: 'engine-under-test' }, now });
  const leaf = await issueCertificate(
    openAuthority(ca),
    { subject: { commonName: '127.0.0.1' }, usages: ['server'], names: ['127.0.0.1', 'localhost'] },
    now,
  );
  return { material: { key: leaf.key, cert: leaf.certificate }, ca: ca.certificate };
}

/**
 * The real engine (handlers, registry, listener) over a real storage on a port of 127.0.0.1, without an admin cluster: whoever
 * brings the token may do everything. `port` 0 chooses a free one.
 */
export async function startEngine(
  storage: Storage,
  definitions: readonly ResourceDefinition[],
  tls: TlsMaterial,
  port = 0,
): Promise<Engine> {
  const loopback = createLoopback('storage-test');
  const server = createApiServer({
    definitions,
    storage,
    authenticators: [loopback],
    authorizer: { authorize: () => Promise.resolve({ allowed: true, reason: '' }) },
    admission: [],
    clock: systemClock,
    log: silentLogger,
    metrics: createMetrics(),
    version: '0.0.0',
  });
  const address: AddressInfo = await server.start({ host: '127.0.0.1', port, tls: fixedTlsSource(tls) });
  return {
    url: `https://127.0.0.1:${address.port}`,
    token: loopback.token,
    stop: () => server.stop({ drainMs: 100 }),
  };
}
