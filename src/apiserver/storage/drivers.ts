import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Storage, StorageFailedError } from './storage.ts';
import { openEtcdStorage, type EtcdConfig } from './etcd/driver.ts';
import { openSqliteStorage } from './sqlite/driver.ts';

export interface StorageDriverOptions {
  /** Told once when an open store can no longer work; every later call fails. */
  readonly onFailure?: (error: StorageFailedError) => void;
  /** For `etcd:`. */
  readonly etcd?: EtcdConfig;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Ends the waiting for a store that does not answer yet. */
  readonly signal?: AbortSignal;
}

export interface StorageDriver {
  /** The scheme of its URLs, without the colon. */
  readonly name: string;
  /** For the help text. */
  readonly example: string;
  /** Whether several processes may use one store at once. */
  readonly shared: boolean;
  /** @throws StorageFailedError, TypeError for a URL it does not understand */
  open(url: string, options: StorageDriverOptions): Promise<Storage>;
}

/** Every way to keep our objects; one line a driver. */
export const storageDrivers: readonly StorageDriver[] = [
  { name: 'sqlite', example: 'sqlite:///var/lib/kamaji/kamaji.db', shared: false, open: openSqliteStorage },
  { name: 'etcd', example: 'etcd:', shared: true, open: openEtcdStorage },
];

/** Opens the store that `url` names. @throws StorageFailedError, TypeError for a URL that no driver understands */
export function openStorage(url: string, options: StorageDriverOptions = {}): Promise<Storage> {
  const scheme = url.slice(0, Math.max(0, url.indexOf(':')));
  const driver = storageDrivers.find(({ name }) => name === scheme);
  if (driver === undefined) {
    const known = storageDrivers.map(({ example }) => example).join(', ');
    return Promise.reject(new TypeError(`no storage driver for ${JSON.stringify(scheme)}; known: ${known}`));
  }
  return driver.open(url, options);
}
