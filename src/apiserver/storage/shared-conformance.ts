import assert from 'node:assert/strict';
import { seededNumbers } from '../../base/testing/seeded-random.ts';
import { ClaimTakenError, KeyExistsError, RevisionMismatchError, type Storage, type StorageEvent } from './storage.ts';

/** Several open storages on one store, as several processes would have them. */
export interface SharedHarness {
  /** A new, empty store, opened `count` times; the test closes them afterwards. */
  openAll(count: number): Promise<readonly Storage[]>;
  /** Why claims may stay taken for a while after writes that failed; undefined: they never do. */
  readonly lingeringClaims?: string;
}

export interface SharedCase {
  readonly name: string;
  readonly run: (harness: SharedHarness) => Promise<void>;
}

/** What drivers with `shared: true` must do besides `conformance.ts`. */
export const sharedConformance: readonly SharedCase[] = [
  onStores('what one has acknowledged, every other one reads', 3, async (stores) => {
    for (let n = 0; n < 50; n += 1) {
      const { revision } = await at(stores, n).commit({ key: `/k/${n}`, value: String(n), expectedRevision: 0 });
      for (const storage of stores) {
        assert.ok((await storage.currentRevision()) >= revision);
        assert.equal((await storage.get(`/k/${n}`))?.revision, revision);
        assert.equal((await storage.list('/k/', {})).items.length, n + 1);
      }
    }
  }),

  onStores('of writers of one revision in several processes exactly one wins', 3, async (stores) => {
    let { revision } = await at(stores, 0).commit({ key: '/a', value: 'start', expectedRevision: 0 });
    for (let round = 0; round < 20; round += 1) {
      const expectedRevision = revision;
      const results = await Promise.allSettled(
        stores.flatMap((storage, index) =>
          [0, 1].map((n) => storage.commit({ key: '/a', value: `${round}/${index}/${n}`, expectedRevision })),
        ),
      );
      const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.revision] : []));
      assert.equal(won.length, 1);
      for (const result of results) {
        if (result.status === 'rejected') assert.ok(result.reason instanceof RevisionMismatchError, result.reason);
      }
      revision = won[0]!;
      assert.equal((await at(stores, round).get('/a'))?.revision, revision);
    }
  }),

  onStores('of claimants in several processes at most one wins, and then all agree', 3, async (stores) => {
    for (let round = 0; round < 20; round += 1) {
      const claims = [`c${round}`];
      const keys = stores.map((_, index) => `/r${round}/${index}`);
      const results = await Promise.allSettled(
        stores.map((storage, index) => storage.commit({ key: keys[index]!, value: '1', expectedRevision: 0, claims })),
      );
      const winners = results.flatMap((result, index) => (result.status === 'fulfilled' ? [keys[index]!] : []));
      for (const result of results) {
        if (result.status === 'rejected') assert.ok(result.reason instanceof ClaimTakenError, result.reason);
      }
      assert.equal(winners.length, 1);
      for (const [index, storage] of stores.entries()) {
        const late = storage.commit({ key: `/late${round}/${index}`, value: '1', expectedRevision: 0, claims });
        await assert.rejects(late, (error) => error instanceof ClaimTakenError && error.holder === winners[0]);
      }
    }
  }),

  onStores('claims that one process has taken are given up by another', 2, async ([a, b]) => {
    const first = await a!.commit({ key: '/a', value: '1', expectedRevision: 0, claims: ['x', 'y'] });
    const second = await b!.commit({ key: '/a', value: '2', expectedRevision: first.revision, claims: ['y', 'z'] });
    await a!.commit({ key: '/x', value: '1', expectedRevision: 0, claims: ['x'] });
    const third = await a!.commit({ key: '/a', value: '3', expectedRevision: second.revision });
    await assert.rejects(
      b!.commit({ key: '/z', value: '1', expectedRevision: 0, claims: ['z'] }),
      (error) => error instanceof ClaimTakenError && error.holder === '/a',
    );
    await b!.commit({ key: '/a', value: undefined, expectedRevision: third.revision });
    await a!.commit({ key: '/yz', value: '1', expectedRevision: 0, claims: ['y', 'z'] });
  }),

  onStores('a watch in one process sees what every other one writes, in order', 3, async (stores) => {
    const start = await at(stores, 0).currentRevision();
    const controller = new AbortController();
    const watches = stores.map((storage) => collect(storage, start, 300, controller));
    const writes = await Promise.all(
      Array.from({ length: 300 }, (_, n) => at(stores, n).commit({ key: `/w/${n}`, value: 'v', expectedRevision: 0 })),
    );
    const expected = writes.map(({ revision }) => revision).sort((one, other) => one - other);
    for (const seen of await Promise.all(watches)) assert.deepEqual(seen, expected);
    controller.abort();
  }),

  onStores('progress in one process covers what was acknowledged in another', 2, async ([a, b]) => {
    const controller = new AbortController();
    const events = b!.watch('/quiet/', await b!.currentRevision(), controller.signal)[Symbol.asyncIterator]();
    for (let n = 0; n < 20; n += 1) {
      const { revision } = await a!.commit({ key: `/other/${n}`, value: '1', expectedRevision: 0 });
      let told = 0;
      while (told < revision) {
        b!.requestProgress();
        const { value } = (await events.next()) as { value: StorageEvent };
        assert.equal(value.type, 'progress');
        told = value.revision;
      }
    }
    controller.abort();
  }),

  onStores(
    'random writes with claims from several processes leave each claim with one holder',
    3,
    async (stores, harness) => {
      const random = seededNumbers(20_260_101);
      const keys = ['/a', '/b', '/c', '/d'];
      const claims = ['p', 'q', 'r', 's', 't'];
      const held = new Map<string, readonly string[]>();
      /** What the newest acknowledged write of each key claims, by its revision. */
      const acknowledged = new Map<string, { readonly revision: number; readonly claims: readonly string[] }>();
      const writer = async (storage: Storage): Promise<void> => {
        for (let n = 0; n < 60; n += 1) {
          const key = keys[Math.floor(random() * keys.length)]!;
          const wanted = claims.filter(() => random() < 0.3);
          const current = await storage.get(key);
          const value = current !== undefined && random() < 0.2 ? undefined : String(random());
          try {
            const write = { key, value, expectedRevision: current?.revision ?? 0, claims: wanted };
            const { revision } = await storage.commit(write);
            if (revision > (acknowledged.get(key)?.revision ?? 0)) {
              acknowledged.set(key, { revision, claims: value === undefined ? [] : wanted });
            }
          } catch (error) {
            const fair = [KeyExistsError, RevisionMismatchError, ClaimTakenError].some((kind) => error instanceof kind);
            if (!fair) throw error;
          }
        }
      };
      await Promise.all(stores.map(writer));
      // Whatever else lingers: no claim was given to two, and none was lost.
      const owners = new Map<string, string>();
      for (const [key, { claims: of }] of acknowledged) {
        for (const claim of of) {
          assert.equal(owners.get(claim), undefined, `${claim} is held by ${owners.get(claim)} and ${key}`);
          owners.set(claim, key);
        }
      }
      // Who holds what: ask for each claim with a key that never had any.
      for (const claim of claims) {
        const ask = at(stores, 0).commit({ key: `/ask/${claim}`, value: '1', expectedRevision: 0, claims: [claim] });
        const holder = await ask.then(
          () => undefined,
          (error: unknown) => {
            assert.ok(error instanceof ClaimTakenError, String(error));
            return error.holder;
          },
        );
        if (owners.has(claim) || harness.lingeringClaims === undefined) assert.equal(holder, owners.get(claim));
        if (holder !== undefined) held.set(holder, [...(held.get(holder) ?? []), claim]);
      }
      // Each holder exists, and its end frees all that it held.
      for (const [key, of] of held) {
        const current = await at(stores, 1).get(key);
        if (harness.lingeringClaims !== undefined) continue;
        assert.ok(current !== undefined, `${key} holds ${of.join()} and does not exist`);
        await at(stores, 2).commit({ key, value: undefined, expectedRevision: current.revision });
        await at(stores, 1).commit({ key: `/after${key}`, value: '1', expectedRevision: 0, claims: of });
      }
    },
  ),
];

function onStores(
  name: string,
  count: number,
  run: (stores: readonly Storage[], harness: SharedHarness) => Promise<void>,
): SharedCase {
  return { name, run: async (harness) => run(await harness.openAll(count), harness) };
}

function at(stores: readonly Storage[], index: number): Storage {
  return stores[index % stores.length]!;
}

async function collect(storage: Storage, after: number, count: number, until: AbortController): Promise<number[]> {
  const revisions: number[] = [];
  for await (const event of storage.watch('/w/', after, until.signal)) {
    if (event.type !== 'progress') revisions.push(event.revision);
    if (revisions.length === count) break;
  }
  return revisions;
}
