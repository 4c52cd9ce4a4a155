import { expect, it } from 'vitest';
import { DataStoreError } from './data-store-error.ts';
import { formatEndpoint, parseEndpoint } from './endpoints.ts';

it.each([
  ['etcd.kamaji-system.svc:2379', 'etcd.kamaji-system.svc', 2379],
  ['127.0.0.1:1', '127.0.0.1', 1],
  ['[::1]:65535', '::1', 65535],
  ['etcd:2379', 'etcd', 2379],
])('reads %s', (text, host, port) => {
  expect(parseEndpoint(text, 'x')).toEqual({ host, port });
  expect(formatEndpoint(parseEndpoint(text, 'x'))).toBe(text);
});

it.each([
  '',
  'etcd',
  'etcd:',
  ':2379',
  'etcd:0',
  'etcd:65536',
  'etcd:99999999',
  'https://etcd:2379',
  'etcd:2379/x',
  '::1:2379',
  '[etcd]:2379',
  '[::1]',
  'user@etcd:2379',
  'et cd:2379',
  '-etcd:2379',
])('refuses %j and names the field', (text) => {
  expect(() => parseEndpoint(text, 'spec.endpoints[3]')).toThrow(DataStoreError);
  expect(() => parseEndpoint(text, 'spec.endpoints[3]')).toThrow(/^spec\.endpoints\[3\]: /);
});

it('takes a number for a name only where it is one', () => {
  expect(() => parseEndpoint('1.2.3.400:2379', 'x')).toThrow(DataStoreError);
});
