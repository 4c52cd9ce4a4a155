import type { KeyRange } from '../../../../etcdclient/rpc.ts';
import { DataStoreError } from '../data-store-error.ts';
import type { TenantIdentity } from '../driver.ts';

/**
 * The keys of a tenant: everything that begins with `/<schema>/`, which ends before `/<schema>0` because "0" follows "/".
 * The slash matters: a range over the bare prefix `/a` would give tenant `a` the keys of tenant `aa` (CVE-2024-42480).
 */
export function tenantKeyRange(schema: string): KeyRange {
  return { key: Buffer.from(`/${schema}/`), rangeEnd: Buffer.from(`/${schema}0`) };
}

/** What an operator that ignored the slash has granted: all keys that begin with `/<schema>`. */
export function isBarePrefixRange(range: KeyRange, schema: string): boolean {
  const end = Buffer.from(`/${schema}`);
  end.writeUInt8((end.at(-1) ?? 0) + 1, end.length - 1);
  return range.key.equals(Buffer.from(`/${schema}`)) && range.rangeEnd.equals(end);
}

export function sameKeyRange(a: KeyRange, b: KeyRange): boolean {
  return a.key.equals(b.key) && a.rangeEnd.equals(b.rangeEnd);
}

/**
 * A slash in a schema would put one tenant's range into another's; `root` is etcd's own name for who may do everything.
 * Throws DataStoreError IdentityInvalid.
 */
export function checkIdentity({ schema, username }: TenantIdentity): void {
  checkName(schema, 'schema');
  checkName(username, 'user name');
}

function checkName(name: string, what: string): void {
  if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/.test(name)) {
    throw new DataStoreError(
      'IdentityInvalid',
      `the ${what} ${JSON.stringify(name)} cannot be used in etcd: it must have 1 to 253 characters out of ` +
        'A-Z, a-z, 0-9, "_", "-" and ".", with no "-" or "." at its ends',
    );
  }
  if (name === 'root') {
    throw new DataStoreError('IdentityInvalid', `the ${what} "root" cannot be used in etcd: it is the administrator's`);
  }
}
