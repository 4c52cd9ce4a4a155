/**
 * Upstream's own tests of a storage (k8s.io/apiserver/pkg/storage/testing) judge our API over HTTP, once for each driver. What does
 * not apply, and why, is a table in adapter/storage_test.go; it is printed here.
 */
import { describe, expect, it } from 'vitest';
import { storageDrivers } from '../../src/apiserver/storage/drivers.ts';
import { openTestStore } from './stores.ts';
import { runUpstreamTests } from './upstream.ts';

const LISTING = 'TestEveryTestIsListed';

it('every storage driver is judged', () => {
  expect(Object.keys(openTestStore).sort()).toEqual(storageDrivers.map(({ name }) => name).sort());
});

for (const driver of Object.keys(openTestStore)) {
  const results = await runUpstreamTests(driver);
  const listing = results.find(({ name }) => name === LISTING)?.output ?? '';
  for (const line of listing.split('\n')) {
    const note = /storage_test\.go:\d+: (.*)/.exec(line)?.[1];
    if (note !== undefined) console.log(`${driver}: ${note}`);
  }
  describe(driver, () => {
    for (const { name, outcome, output } of results) {
      it(name, () => expect(outcome, output).toBe('pass'));
    }
  });
}
