import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** The parts of a distinguished name that Kubernetes reads: user and groups. */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

/** Subject alternative names. */
export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/** One spelling an address: `::1` for `0:0:0:0:0:0:0:1`, and plain IPv4 for an IPv4-mapped IPv6 address. Undefined: none. */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const address = new SocketAddress({ address: text, family: 'ipv6' }).address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  return mapped?.[1] ?? address;
}

/** Sorts names into DNS names (lower case) and addresses, without duplicates, in a fixed order. */
export function alternativeNames(names: Iterable<string>): AlternativeNames {
  const dnsNames = new Set<string>();
  const ipAddresses = new Set<string>();
  for (const name of names) {
    if (name === '') continue;
    const ip = canonicalIp(name);
    if (ip === undefined) dnsNames.add(name.toLowerCase());
    else ipAddresses.add(ip);
  }
  return { dnsNames: [...dnsNames].sort(), ipAddresses: [...ipAddresses].sort() };
}

/** The 4 or 16 bytes of an address. Throws TypeError for anything else. */
export function ipBytes(text: string): Buffer {
  const ip = canonicalIp(text);
  if (ip === undefined) throw new TypeError('not an IP address');
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number));
  // A canonical IPv6 address may still end in dotted decimal (::1.2.3.4).
  const tail = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(ip);
  const hex = tail ? `${tail[1]}${pair(tail[2], tail[3])}:${pair(tail[4], tail[5])}` : ip;
  const [head = '', rest] = hex.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = rest === undefined || rest === '' ? [] : rest.split(':');
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of groups.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
}

function pair(high = '0', low = '0'): string {
  return (Number(high) * 256 + Number(low)).toString(16);
}

/** Whether both hold the same user and the same groups, in whatever order. */
export function sameSubject(a: Subject, b: Subject): boolean {
  return a.commonName === b.commonName && sameSet(a.organizations ?? [], b.organizations ?? []);
}

/** Whether both hold the same names, in whatever order. */
export function sameNames(a: AlternativeNames, b: AlternativeNames): boolean {
  return sameSet(a.dnsNames, b.dnsNames) && sameSet(a.ipAddresses, b.ipAddresses);
}

/** Whether both hold the same texts; order and duplicates do not count. */
export function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a);
  const right = new Set(b);
  return left.size === right.size && [...left].every((item) => right.has(item));
}
