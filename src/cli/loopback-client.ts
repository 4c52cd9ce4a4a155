import type { Clock } from '../base/clock.ts';
import type { ServingCertificate } from '../apiserver/serving/serving-certificate.ts';
import type { KubeClient } from '../kubeclient/client.ts';
import { createKubeClient } from '../kubeclient/rest-client.ts';

/** The controllers' client of our own API: over TLS to ourselves, with a token that lives in memory alone. */
export function createLoopbackClient(
  flags: { readonly bindAddress: string; readonly securePort: number },
  serving: ServingCertificate,
  token: string,
  clock: Clock,
  version: string,
): KubeClient {
  const anyAddress = flags.bindAddress === '0.0.0.0' || flags.bindAddress === '::';
  const host = anyAddress ? '127.0.0.1' : flags.bindAddress;
  return createKubeClient(
    {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${flags.securePort}`,
      serverName: 'localhost',
      credentials: { current: () => ({ ca: serving.caBundle(), token }), invalidate: () => undefined },
    },
    { userAgent: `kamaji/${version}`, maxSockets: 32, clock },
  );
}
