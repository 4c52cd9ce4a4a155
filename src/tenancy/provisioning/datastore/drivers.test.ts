import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { dataStoreSpec } from '../../api/data-store.ts';
import { DataStoreError } from './data-store-error.ts';
import { dataStoreDrivers, supportedDriver } from './drivers.ts';

it('has every driver that a DataStore may name', () => {
  expect(dataStoreDrivers.map((driver) => driver.name)).toEqual(dataStoreSpec.properties?.['driver']?.enum);
});

it('has every folder', () => {
  const folders = readdirSync(new URL('.', import.meta.url), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const supported = dataStoreDrivers.filter((driver) => driver.supported).map((driver) => driver.name.toLowerCase());
  expect(folders.map((folder) => folder.name).sort()).toEqual(supported.sort());
});

it('says why a driver cannot be used', () => {
  expect(supportedDriver('etcd').name).toBe('etcd');
  for (const driver of dataStoreDrivers) {
    if (driver.supported) continue;
    expect(() => supportedDriver(driver.name)).toThrow(
      expect.objectContaining({
        code: 'DriverNotSupported',
        terminal: true,
        message: expect.stringContaining(driver.reason) as string,
      }),
    );
  }
  expect(() => supportedDriver('sqlite')).toThrow(DataStoreError);
});
