import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addressAt,
  formatIp,
  formatNetwork,
  ipFromText,
  networkContains,
  networkFromText,
  networksOverlap,
} from './ip-network.ts';

test.each([
  ['10.96.0.10', '10.96.0.10'],
  ['255.255.255.255', '255.255.255.255'],
  ['0.0.0.0', '0.0.0.0'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['fd00:0:0:0:0:0:0:A', 'fd00::a'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
  ['10:0:0:10::', '10:0:0:10::'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
])('address %s is %s', (text, canonical) => {
  const ip = ipFromText(text);
  expect(ip && formatIp(ip)).toBe(canonical);
});

test.each([
  '',
  'x',
  '10.0.0',
  '10.0.0.256',
  '010.0.0.1',
  '10.0.0.1 ',
  '::ffff:10.0.0.1',
  'fe80::1%eth0',
  '1:2:3',
  ':::',
  '10.0.0.1/8',
])('no address: %j', (text) => expect(ipFromText(text)).toBeUndefined());

test.each([
  ['10.96.0.0/16', '10.96.0.0/16'],
  ['10.96.0.250/16', '10.96.0.0/16'],
  ['10.96.255.250/17', '10.96.128.0/17'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['1.2.3.4/32', '1.2.3.4/32'],
  ['fd00:10:96::1/108', 'fd00:10:96::/108'],
  ['::/0', '::/0'],
])('network %s is %s', (text, canonical) => {
  const network = networkFromText(text);
  expect(network && formatNetwork(network)).toBe(canonical);
});

test.each([
  '',
  '10.0.0.0',
  '10.0.0.0/',
  '10.0.0.0/33',
  '10.0.0.0/08',
  '10.0.0.0/-1',
  'fd00::/129',
  'a/8',
  '10.0.0.0/8/8',
])('no network: %j', (text) => expect(networkFromText(text)).toBeUndefined());

test.each([
  ['10.96.0.0/16', 10n, '10.96.0.10'],
  ['10.96.0.250/16', 10n, '10.96.0.10'],
  ['10.96.0.248/29', 10n, undefined],
  ['10.0.0.0/8', 256n, '10.0.1.0'],
  ['fd00::/108', 10n, 'fd00::a'],
])('%s has address %i at %s', (text, index, expected) => {
  const network = networkFromText(text);
  const address = network && addressAt(network, index);
  expect(address && formatIp(address)).toBe(expected);
});

test.each([
  ['10.0.0.0/8', '10.96.0.0/16', true],
  ['10.96.0.0/16', '10.0.0.0/8', true],
  ['10.96.0.0/16', '10.97.0.0/16', false],
  ['10.96.0.0/16', '10.96.0.0/16', true],
  ['::/0', '10.0.0.0/8', false],
])('%s and %s overlap: %s', (a, b, expected) => {
  const [left, right] = [networkFromText(a), networkFromText(b)];
  expect(left && right && networksOverlap(left, right)).toBe(expected);
});

test('text and number are two forms of one address', () => {
  const address = fc.oneof(
    fc.record({ family: fc.constant(4 as const), value: fc.bigInt(0n, (1n << 32n) - 1n) }),
    fc.record({
      family: fc.constant(6 as const),
      value: fc
        .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
        .map((groups) => groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)),
    }),
  );
  fc.assert(
    fc.property(address, fc.nat(32), (ip, length) => {
      fc.pre(ip.family === 4 || ip.value >> 32n !== 0xffffn);
      expect(ipFromText(formatIp(ip))).toEqual(ip);
      const network = networkFromText(`${formatIp(ip)}/${length}`);
      expect(network && networkContains(network, ip)).toBe(true);
    }),
  );
});
