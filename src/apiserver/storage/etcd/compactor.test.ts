import { expect, test } from 'vitest';
import type { EtcdClient } from '../../../etcdclient/client.ts';
import { compactOnce } from './compactor.ts';

const key = Buffer.from('/compact');

/** An etcd in which another replica was faster and wrote `value`. */
function lostRace(value: string): EtcdClient {
  const call = (): Promise<unknown> =>
    Promise.resolve({
      header: { revision: 90 },
      succeeded: false,
      responses: [{ responseRange: { kvs: [{ key, value: Buffer.from(value), version: 4 }] } }],
    });
  return { call } as unknown as EtcdClient;
}

async function learnt(value: string): Promise<readonly number[]> {
  const compacted: number[] = [];
  const onCompacted = (revision: number): void => void compacted.push(revision);
  const round = await compactOnce({ client: lostRace(value), key, onCompacted }, { version: 3, revision: 80 });
  expect(round).toEqual({ version: 4, revision: 90 });
  return compacted;
}

test('a replica that was not the one to compact learns what is gone', async () => {
  expect(await learnt('75')).toEqual([75]);
});

test.each(['0', '', 'nonsense'])('%j, where nothing was compacted, is nothing to forget', async (value) => {
  expect(await learnt(value)).toEqual([]);
});
