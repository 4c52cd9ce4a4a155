import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { Client, credentials, type ChannelCredentials, type ClientOptions } from '@grpc/grpc-js';

/** Where a server listens: an address without brackets or a DNS name; or the path of a Unix socket. */
export type EtcdAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** PEM. */
export interface EtcdTls {
  /** Absent: the authorities that Node trusts. */
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** A gRPC client of one server that opens no socket yet. `tls` undefined: no TLS. @throws Error for PEM that cannot be used */
export function openChannel(address: EtcdAddress, tls: EtcdTls | undefined, options: ClientOptions = {}): Client {
  const byIp = 'host' in address && isIP(address.host) !== 0;
  return new Client(targetOf(address), channelCredentials(address, tls), {
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 3_000,
    // etcd drops clients that ping more often than every 5 s (--grpc-keepalive-min-time).
    'grpc.keepalive_time_ms': 15_000,
    'grpc.keepalive_timeout_ms': 5_000,
    // No look-up of service configuration in DNS, and no web proxy between us and the store: as etcd's own client.
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
    // TLS has no place for an address as the server's name, and grpc-js would put it there, which Node refuses.
    ...(byIp && tls !== undefined && { 'grpc.ssl_target_name_override': 'etcd.invalid' }),
    ...options,
  });
}

function channelCredentials(address: EtcdAddress, tls: EtcdTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const buffer = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  return credentials.createSsl(
    buffer(tls.ca),
    buffer(tls.key),
    buffer(tls.certificate),
    // The server must be the one of the endpoint, whatever name is sent in the handshake.
    'host' in address
      ? { checkServerIdentity: (_, certificate) => checkServerIdentity(address.host, certificate) }
      : undefined,
  );
}

function targetOf(address: EtcdAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  const kind = isIP(address.host);
  return kind === 0 ? `dns:${formatAddress(address)}` : `ipv${kind}:${formatAddress(address)}`;
}

export function formatAddress(address: EtcdAddress): string {
  if ('path' in address) return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
