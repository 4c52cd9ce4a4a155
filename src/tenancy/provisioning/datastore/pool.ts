import { createHash } from 'node:crypto';
import type { DataStoreConnection, DataStoreDriver, DriverOptions } from './driver.ts';
import { supportedDriver } from './drivers.ts';

/**
 * One connected driver a DataStore. A changed configuration replaces it; sockets that nobody uses are closed by the
 * driver itself, so that an entry costs next to nothing and there is one a DataStore at most.
 */
export class DataStorePool {
  readonly #options: DriverOptions;
  readonly #entries = new Map<string, { readonly fingerprint: string; readonly driver: DataStoreDriver }>();
  #closed = false;

  constructor(options: DriverOptions = {}) {
    this.#options = options;
  }

  /** Answers the driver for this connection. Throws DataStoreError DriverNotSupported or ConfigurationInvalid. */
  open(connection: DataStoreConnection): DataStoreDriver {
    if (this.#closed) throw new Error('the pool of DataStore connections is closed');
    const fingerprint = createHash('sha256').update(JSON.stringify(connection)).digest('hex');
    const known = this.#entries.get(connection.dataStoreName);
    if (known?.fingerprint === fingerprint) return known.driver;
    const driver = supportedDriver(connection.driver).open(connection, this.#options);
    this.#entries.set(connection.dataStoreName, { fingerprint, driver });
    known?.driver.close();
    return driver;
  }

  /** To be called when a DataStore is gone. */
  forget(dataStoreName: string): void {
    const known = this.#entries.get(dataStoreName);
    this.#entries.delete(dataStoreName);
    known?.driver.close();
  }

  get size(): number {
    return this.#entries.size;
  }

  close(): void {
    this.#closed = true;
    for (const name of this.#entries.keys()) this.forget(name);
  }
}
