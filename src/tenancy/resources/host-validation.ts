import { checkSubdomain1123 } from '../../apimachinery/names.ts';
import { ipFromText } from '../api/ip-network.ts';

/** A name of the DNS, lower case. A name made of digits and dots alone would be read as an address. */
export function isDnsName(text: string): boolean {
  return checkSubdomain1123(text).length === 0 && !/^[\d.]+$/.test(text);
}

/** An IP address or a name of the DNS. */
export function isHost(text: string): boolean {
  return ipFromText(text) !== undefined || isDnsName(text);
}

/** The name with an optional `*.` in front. */
export function isDnsNameOrWildcard(text: string): boolean {
  return isDnsName(text.startsWith('*.') ? text.slice(2) : text);
}

/** `host` or `host:port`, an IPv6 address with a port in brackets; undefined for other text. */
export function hostAndPort(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return ipFromText(text) === undefined ? undefined : { host: text, port: undefined };
  const [, bracketed, plain = ''] = match;
  const host = bracketed ?? plain;
  if (bracketed === undefined ? !isHost(host) : ipFromText(host)?.family !== 6) return undefined;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  return port !== undefined && (port < 1 || port > 65535) ? undefined : { host, port };
}
