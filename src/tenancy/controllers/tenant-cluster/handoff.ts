import { createHash } from 'node:crypto';
import type { TenantClusterInput } from '../../provisioning/tenant-input.ts';

export interface TenantHandoff {
  readonly input: TenantClusterInput;
  /** The control plane answers. */
  readonly available: boolean;
  /** Of the input: changes when the tenant's cluster must be looked at. */
  readonly fingerprint: string;
}

/**
 * What the tenant controller knows and the tenant-cluster controller needs, by uid. Holds no private key: what goes into
 * a tenant's cluster needs none.
 */
export class TenantHandoffs {
  readonly #handoffs = new Map<string, TenantHandoff>();
  readonly #listeners = new Set<(key: string) => void>();

  get(uid: string): TenantHandoff | undefined {
    return this.#handoffs.get(uid);
  }

  /** `key` is the tenant's `namespace/name`; listeners hear of differences only. */
  offer(uid: string, key: string, input: TenantClusterInput, available: boolean): void {
    const { tenant, endpoint, storage, pki } = input;
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([tenant.spec, endpoint, storage, pki.ca.certificate]))
      .digest('hex');
    const before = this.#handoffs.get(uid);
    if (before?.fingerprint === fingerprint && before.available === available) return;
    this.#handoffs.set(uid, { input, available, fingerprint });
    for (const listener of this.#listeners) listener(key);
  }

  delete(uid: string): void {
    this.#handoffs.delete(uid);
  }

  onChange(listener: (key: string) => void): void {
    this.#listeners.add(listener);
  }
}
