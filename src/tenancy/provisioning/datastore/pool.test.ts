import { beforeAll, expect, it } from 'vitest';
import type { CertificateAndKey } from '../../../pki/certificate-and-key.ts';
import { createCertificateAuthority } from '../../../pki/issue.ts';
import { DataStoreError } from './data-store-error.ts';
import type { DataStoreConnection } from './driver.ts';
import { DataStorePool } from './pool.ts';

let pair: CertificateAndKey;
beforeAll(async () => {
  pair = await createCertificateAuthority({ subject: { commonName: 'x' }, now: new Date() });
});

const connection = (change: Partial<DataStoreConnection> = {}): DataStoreConnection => ({
  dataStoreName: 'default',
  driver: 'etcd',
  endpoints: ['127.0.0.1:1'],
  tls: { caCertificate: pair.certificate, client: pair },
  ...change,
});

it('keeps one driver a DataStore for as long as its configuration stays', async () => {
  const pool = new DataStorePool({ timeoutMs: 500 });
  const first = pool.open(connection());
  expect(pool.open(connection())).toBe(first);
  expect(pool.open(connection({ dataStoreName: 'other' }))).not.toBe(first);
  const changed = pool.open(connection({ endpoints: ['127.0.0.1:2'] }));
  expect(changed).not.toBe(first);
  expect(pool.size).toBe(2);
  await expect(first.check()).rejects.toThrow('closed');
  expect(await changed.check()).toMatchObject({ healthy: false, reason: 'Unreachable' });

  pool.forget('default');
  pool.forget('default');
  expect(pool.size).toBe(1);
  await expect(changed.check()).rejects.toThrow('closed');
  pool.close();
  expect(() => pool.open(connection())).toThrow('closed');
});

it('keeps the old driver when the new configuration is refused', () => {
  const pool = new DataStorePool();
  const first = pool.open(connection());
  expect(() => pool.open(connection({ driver: 'MySQL' }))).toThrow(DataStoreError);
  const rubbish = { certificate: 'rubbish', key: 'rubbish-key' };
  const refused = (): unknown => pool.open(connection({ tls: { caCertificate: 'rubbish', client: rubbish } }));
  expect(refused).toThrow(expect.objectContaining({ code: 'CredentialInvalid' }));
  expect(refused).not.toThrow(/rubbish/);
  expect(pool.open(connection())).toBe(first);
  pool.close();
});
