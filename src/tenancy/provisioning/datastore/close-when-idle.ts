import type { DataStoreDriver } from './driver.ts';

/** The same driver, but `close` waits for the calls under way, which may take several requests each. */
export function closeWhenIdle(driver: DataStoreDriver): DataStoreDriver {
  let underWay = 0;
  let closing = false;
  let closed = false;
  const closeIfIdle = (): void => {
    if (!closing || closed || underWay > 0) return;
    closed = true;
    driver.close();
  };
  const track = async <T>(call: () => Promise<T>): Promise<T> => {
    if (closing) throw new Error('the connection to the DataStore is closed');
    underWay++;
    try {
      return await call();
    } finally {
      underWay--;
      closeIfIdle();
    }
  };
  return {
    ensureTenant: (identity, options) => track(() => driver.ensureTenant(identity, options)),
    removeTenant: (identity, options) => track(() => driver.removeTenant(identity, options)),
    check: (options) => track(() => driver.check(options)),
    countKeys: (identity, options) => track(() => driver.countKeys(identity, options)),
    close: () => {
      closing = true;
      closeIfIdle();
    },
  };
}
