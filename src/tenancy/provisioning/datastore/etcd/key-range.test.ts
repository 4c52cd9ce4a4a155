import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataStoreError } from '../data-store-error.ts';
import type { KeyRange } from '../../../../etcdclient/rpc.ts';
import { checkIdentity, isBarePrefixRange, tenantKeyRange } from './key-range.ts';

const schema = fc
  .stringMatching(/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,10}[A-Za-z0-9_])?$/)
  .filter((name) => name !== 'root' && name !== '');

function within(range: KeyRange, key: string): boolean {
  const bytes = Buffer.from(key);
  return Buffer.compare(range.key, bytes) <= 0 && Buffer.compare(bytes, range.rangeEnd) < 0;
}

describe('tenantKeyRange', () => {
  it('holds all keys of the tenant and none of any other', () => {
    fc.assert(
      fc.property(schema, schema, fc.string(), (own, other, rest) => {
        expect(within(tenantKeyRange(own), `/${own}/${rest}`)).toBe(true);
        if (other !== own) expect(within(tenantKeyRange(own), `/${other}/${rest}`)).toBe(false);
      }),
    );
  });

  it('holds none of the keys beside it', () => {
    const range = tenantKeyRange('a');
    for (const key of ['/a', '/a.', '/a-x/y', '/a0', '/a0/x', '/aa/x', '/b/x', 'a/x', '//a/x', '/registry/a/x']) {
      expect(within(range, key), key).toBe(false);
    }
  });
});

it('knows the range that forgot the slash', () => {
  const bare = { key: Buffer.from('/a'), rangeEnd: Buffer.from('/b') };
  expect(isBarePrefixRange(bare, 'a')).toBe(true);
  expect(isBarePrefixRange(tenantKeyRange('a'), 'a')).toBe(false);
  expect(isBarePrefixRange(bare, 'aa')).toBe(false);
});

describe('checkIdentity', () => {
  it('takes what the server makes up and what people write', () => {
    for (const name of ['5f8d0d55-b54f-4764-bb3c-f9c1a8f3a000', 'team-a_prod', 'a', 'A.b', '_x', 'x'.repeat(253)]) {
      expect(() => checkIdentity({ schema: name, username: name })).not.toThrow();
    }
  });

  it.each(['', '/', 'a/b', '../a', '.', '-a', 'a-', 'a b', 'a\n', 'é', 'root', 'x'.repeat(254)])(
    'refuses %j',
    (name) => {
      expect(() => checkIdentity({ schema: name, username: 'a' })).toThrow(DataStoreError);
      expect(() => checkIdentity({ schema: 'a', username: name })).toThrow(DataStoreError);
    },
  );
});
