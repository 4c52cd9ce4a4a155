import { isIP } from 'node:net';
import { DataStoreError } from './data-store-error.ts';

export interface Endpoint {
  /** IP address without brackets, or DNS name. */
  readonly host: string;
  readonly port: number;
}

/** A name that ends in a number would be an address with a mistake in it. */
const DNS_NAME = /^(?!.*(^|\.)\d+\.?$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?$/i;

/** Reads `host:port`. `field` is for the error. Throws DataStoreError ConfigurationInvalid. */
export function parseEndpoint(text: string, field: string): Endpoint {
  const match = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^:[\]/]*)):(?<port>\d{1,5})$/.exec(text);
  const { v6, name, port = '0' } = match?.groups ?? {};
  const valid =
    match !== null && (v6 === undefined ? isIP(name ?? '') === 4 || DNS_NAME.test(name ?? '') : isIP(v6) === 6);
  if (!valid || Number(port) < 1 || Number(port) > 65535) {
    const hint = text.includes('://') ? ' without a scheme' : '';
    throw new DataStoreError(
      'ConfigurationInvalid',
      `${field}: ${JSON.stringify(text)} is no host:port; write for instance "etcd.example.org:2379"${hint}`,
    );
  }
  return { host: v6 ?? name ?? '', port: Number(port) };
}

export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.host.includes(':') ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}
