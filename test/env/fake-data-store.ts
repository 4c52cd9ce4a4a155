import type {
  DataStoreConnection,
  DataStoreDriver,
  TenantIdentity,
} from '../../src/tenancy/provisioning/datastore/driver.ts';
import type { CertificateAndKey } from '../../src/pki/certificate-and-key.ts';
import type { DataStoreVerdict } from '../../src/tenancy/controllers/data-store/registry.ts';

/** A store in memory that remembers its tenants and what was done. */
export class FakeDriver implements DataStoreDriver {
  readonly calls: string[] = [];
  readonly tenants = new Map<string, string>();
  /** What the next calls throw. */
  failure: Error | undefined;
  health = { healthy: true, reason: 'Healthy', message: 'etcd answers' };
  closed = false;

  async ensureTenant(identity: TenantIdentity): Promise<{ readonly changed: boolean }> {
    await this.#called('ensure', identity);
    const changed = !this.tenants.has(identity.schema);
    this.tenants.set(identity.schema, identity.username);
    return { changed };
  }

  async removeTenant(identity: TenantIdentity): Promise<{ readonly removedKeys: number }> {
    await this.#called('remove', identity);
    return { removedKeys: this.tenants.delete(identity.schema) ? 1 : 0 };
  }

  check(): Promise<typeof this.health> {
    this.calls.push('check');
    return this.failure === undefined ? Promise.resolve(this.health) : Promise.reject(this.failure);
  }

  countKeys(identity: TenantIdentity): Promise<number> {
    return Promise.resolve(this.tenants.has(identity.schema) ? 1 : 0);
  }

  close(): void {
    this.closed = true;
  }

  async #called(what: string, { schema, username }: TenantIdentity): Promise<void> {
    await Promise.resolve();
    this.calls.push(`${what} ${schema} ${username}`);
    if (this.failure !== undefined) throw this.failure;
  }
}

export function healthyVerdict(
  driver: DataStoreDriver,
  signingAuthority: CertificateAndKey,
  change: Partial<DataStoreVerdict> = {},
): DataStoreVerdict {
  const connection: DataStoreConnection = {
    dataStoreName: 'default',
    driver: 'etcd',
    endpoints: ['etcd:2379'],
    tls: { caCertificate: signingAuthority.certificate },
    signingAuthority,
  };
  return { healthy: true, reason: 'Healthy', message: 'etcd answers', use: { connection, driver }, ...change };
}
