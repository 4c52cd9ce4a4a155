import type { TenantClusterReport } from '../tenant-control-plane/facts.ts';

/**
 * Where the tenant-cluster controller leaves what it saw, for the controller that owns the status: one writer for one
 * object. By uid, so that a tenant made anew under the same name starts with nothing.
 */
export class TenantReports {
  readonly #reports = new Map<string, TenantClusterReport>();
  readonly #listeners = new Set<(key: string) => void>();

  get(uid: string): TenantClusterReport | undefined {
    return this.#reports.get(uid);
  }

  /** `key` is the tenant's `namespace/name`; listeners hear of differences only. */
  set(uid: string, key: string, report: TenantClusterReport): void {
    const before = this.#reports.get(uid);
    this.#reports.set(uid, report);
    const same =
      before?.configured === report.configured &&
      before.reason === report.reason &&
      before.message === report.message &&
      before.generation === report.generation &&
      before.checksum === report.checksum;
    if (same) return;
    for (const listener of this.#listeners) listener(key);
  }

  delete(uid: string): void {
    this.#reports.delete(uid);
  }

  onChange(listener: (key: string) => void): void {
    this.#listeners.add(listener);
  }
}
