import { DataStoreError } from './data-store-error.ts';
import type { DriverDefinition, SupportedDriver } from './driver.ts';
import { etcdDriver } from './etcd/driver.ts';

const NEEDS_KINE =
  'tenants on this driver need kine beside their kube-apiserver, which this version does not deploy yet';

/** All drivers that a DataStore may name. */
export const dataStoreDrivers: readonly DriverDefinition[] = [
  etcdDriver,
  { name: 'MySQL', supported: false, reason: NEEDS_KINE },
  { name: 'PostgreSQL', supported: false, reason: NEEDS_KINE },
  { name: 'NATS', supported: false, reason: NEEDS_KINE },
];

/** Throws DataStoreError DriverNotSupported, whose message says why. */
export function supportedDriver(name: string): SupportedDriver {
  const driver = dataStoreDrivers.find((candidate) => candidate.name === name);
  if (driver === undefined) {
    const known = dataStoreDrivers.map((candidate) => candidate.name).join(', ');
    throw new DataStoreError('DriverNotSupported', `spec.driver: ${JSON.stringify(name)} is none of ${known}`);
  }
  if (!driver.supported) {
    throw new DataStoreError('DriverNotSupported', `spec.driver: ${driver.name} is not supported: ${driver.reason}`);
  }
  return driver;
}
