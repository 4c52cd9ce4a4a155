import { isIPv4, isIPv6 } from 'node:net';
import { canonicalIp, ipBytes } from '../../pki/subject.ts';

/**
 * The address `offset` behind the network address of a CIDR, whatever host bits the text carries:
 * (`10.96.0.250/16`, 10) is `10.96.0.10`. Throws RangeError when the text is no CIDR or has no such address.
 */
export function addressInCidr(cidr: string, offset: number): string {
  const [address = '', prefixText = '', ...rest] = cidr.split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  const prefix = Number(prefixText);
  if (bits === 0 || rest.length > 0 || !/^\d{1,3}$/.test(prefixText) || prefix > bits) {
    throw new RangeError(`${JSON.stringify(cidr)} is not a CIDR`);
  }
  const hostBits = BigInt(bits - prefix);
  if (BigInt(offset) >= 1n << hostBits) throw new RangeError(`${cidr} has no address number ${offset}`);
  const bytes = isIPv4(address) ? ipBytes(address) : fullIpv6(address);
  const network = (BigInt(`0x${bytes.toString('hex')}`) >> hostBits) << hostBits;
  const hex = (network + BigInt(offset)).toString(16).padStart(bits / 4, '0');
  if (bits === 32) return [...Buffer.from(hex, 'hex')].join('.');
  const groups = hex.match(/.{4}/g)?.join(':') ?? '';
  return canonicalIp(groups) ?? groups;
}

/** `ipBytes` shortens IPv4-mapped addresses, which no CIDR of a cluster is made of; this keeps the arithmetic right anyhow. */
function fullIpv6(address: string): Buffer {
  const bytes = ipBytes(address);
  return bytes.length === 16 ? bytes : Buffer.concat([Buffer.alloc(10), Buffer.of(0xff, 0xff), bytes]);
}

/** What kube-apiserver takes for the `kubernetes` Service: the first address of a service CIDR. */
export function firstServiceIp(cidr: string): string {
  return addressInCidr(cidr, 1);
}
