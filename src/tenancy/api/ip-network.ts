import { isIPv4, isIPv6 } from 'node:net';

/** IP addresses and networks as numbers. The functions that read text answer undefined for text that is none. */

export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface IpNetwork {
  readonly family: 4 | 6;
  /** The first address. */
  readonly base: bigint;
  readonly prefixLength: number;
}

export function addressBits(family: 4 | 6): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** Octets with leading zeros, zones and IPv4-mapped IPv6 addresses are refused: programs read them differently. */
export function ipFromText(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { family: 4, value: ipv4Value(text) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const value = ipv6Value(text);
  return value >> 32n === 0xffffn ? undefined : { family: 6, value };
}

function ipv4Value(text: string): bigint {
  return text.split('.').reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

function ipv6Value(text: string): bigint {
  const dotted = /[^:]*\.[^:]*$/.exec(text)?.[0];
  const tail = dotted === undefined ? 0n : ipv4Value(dotted);
  const groups =
    dotted === undefined
      ? text
      : `${text.slice(0, -dotted.length)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [head = '', rest] = groups.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = rest === undefined || rest === '' ? [] : rest.split(':');
  const zeros = rest === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** The shortest text (RFC 5952). */
export function formatIp(ip: IpAddress): string {
  if (ip.family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => ((ip.value >> shift) & 0xffn).toString()).join('.');
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((ip.value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  const text = groups.join(':');
  const runs = [...text.matchAll(/(?<![^:])0(?::0)+(?![^:])/g)].map((match) => match[0]);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  const at = runStart(text, longest);
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}

function runStart(text: string, run: string): number {
  return new RegExp(`(?<![^:])${run}(?![^:])`).exec(text)?.index ?? 0;
}

/** `address/length`; bits behind the length are dropped. */
export function networkFromText(text: string): IpNetwork | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = ipFromText(match?.[1] ?? '');
  const prefixLength = Number(match?.[2]);
  if (address === undefined || prefixLength > addressBits(address.family)) return undefined;
  const hostBits = BigInt(addressBits(address.family) - prefixLength);
  return { family: address.family, base: (address.value >> hostBits) << hostBits, prefixLength };
}

export function formatNetwork(network: IpNetwork): string {
  return `${formatIp({ family: network.family, value: network.base })}/${network.prefixLength}`;
}

/** Number of addresses. */
export function networkSize(network: IpNetwork): bigint {
  return 1n << BigInt(addressBits(network.family) - network.prefixLength);
}

export function networkContains(network: IpNetwork, address: IpAddress): boolean {
  const offset = address.value - network.base;
  return network.family === address.family && offset >= 0n && offset < networkSize(network);
}

export function networksOverlap(a: IpNetwork, b: IpNetwork): boolean {
  return (
    networkContains(a, { family: b.family, value: b.base }) || networkContains(b, { family: a.family, value: a.base })
  );
}

/** Address number `index`, 0 being the base; undefined when the network is too small. */
export function addressAt(network: IpNetwork, index: bigint): IpAddress | undefined {
  if (index < 0n || index >= networkSize(network)) return undefined;
  return { family: network.family, value: network.base + index };
}
