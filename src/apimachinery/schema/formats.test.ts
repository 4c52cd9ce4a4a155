import { expect, test } from 'vitest';
import { hasFormat } from './formats.ts';

// prettier-ignore
const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['ipv4', ['192.0.2.1', '0.0.0.0', '255.255.255.255'], ['192.0.2.256', '192.0.2', '192.0.2.1.', '::1', '']],
  ['ipv6', ['2001:db8::1', '::', '1:2:3:4:5:6:7:8', '::ffff:192.0.2.1'], ['192.0.2.1', '1::2::3', '1:2:3:4:5:6:7', '12345::', 'g::', '']],
  ['cidr', ['192.0.2.0/24', '2001:db8::/32', '192.0.2.1/24'], ['192.0.2.0', '192.0.2.0/33', '::/129', '192.0.2.0/024', '/24']],
  ['date', ['2001-02-03'], ['2001-13-03', '2001-02-30', '2001-2-3', '']],
  ['hostname', ['a.example.org', 'a', 'a.example.org.'], ['a_b', '-a', 'a..b', 'a'.repeat(64), '']],
  ['email', ['a@example.org', 'Jane <jane@example.org>'], ['a', 'a@', '@b', 'a b@c']],
  ['uri', ['https://example.org/a', '/a'], ['a b', 'a', 'https://a/%zz', '']],
  ['uuid', ['00000000-0000-4000-8000-000000000001', '00000000000040008000000000000001'], ['x', '']],
  ['mac', ['00:00:5e:00:53:01', '00-00-5e-00-53-01', '0000.5e00.5301'], ['x', '00:00:5e', '00:00-5e:00:53:01']],
  ['duration', ['5m', '1h30m', '-1.5s', '0', '3 days'], ['soon', '5', '']],
  ['unknown', ['anything', ''], []],
];

test.each(table)('%s', (format, good, bad) => {
  expect(good.filter((text) => !hasFormat(format, text))).toEqual([]);
  expect(bad.filter((text) => hasFormat(format, text))).toEqual([]);
});
