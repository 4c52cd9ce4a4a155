import type { DataStoreConnection, DataStoreDriver } from '../../provisioning/datastore/driver.ts';

/** What is known of a DataStore: the last verdict, and how to use it when there is a way. */
export interface DataStoreVerdict {
  readonly healthy: boolean;
  /** CamelCase, for conditions. */
  readonly reason: string;
  readonly message: string;
  /** Undefined when the configuration itself is wrong. */
  readonly use: { readonly connection: DataStoreConnection; readonly driver: DataStoreDriver } | undefined;
}

/**
 * The verdicts of the DataStore controller, kept in memory because they hold credentials. Tenants ask here instead of
 * resolving Secrets and connecting on their own at every pass.
 */
export class DataStoreRegistry {
  readonly #verdicts = new Map<string, DataStoreVerdict>();
  readonly #listeners = new Set<(dataStoreName: string) => void>();

  /** Undefined: not looked at yet, or gone. */
  get(dataStoreName: string): DataStoreVerdict | undefined {
    return this.#verdicts.get(dataStoreName);
  }

  /** Tells listeners only when tenants would see a difference. */
  set(dataStoreName: string, verdict: DataStoreVerdict): void {
    const before = this.#verdicts.get(dataStoreName);
    this.#verdicts.set(dataStoreName, verdict);
    const same =
      before?.healthy === verdict.healthy &&
      before.reason === verdict.reason &&
      before.message === verdict.message &&
      before.use?.driver === verdict.use?.driver;
    if (!same) this.#tell(dataStoreName);
  }

  delete(dataStoreName: string): void {
    if (this.#verdicts.delete(dataStoreName)) this.#tell(dataStoreName);
  }

  onChange(listener: (dataStoreName: string) => void): void {
    this.#listeners.add(listener);
  }

  #tell(dataStoreName: string): void {
    for (const listener of this.#listeners) listener(dataStoreName);
  }
}
