import { mapLimited } from '../../src/base/limiter.ts';
import type { BenchClient } from './api-client.ts';
import { newRow, spread, type Row, type SideFigures } from './api-figures.ts';
import { collection, type Side } from './api-operations.ts';
import { cpuSeconds } from './process-figures.ts';

const WRITES = 30;
const GIVE_UP_MS = 30_000;

/** From the start of a write to its event at every one of many watchers. The sides by turns, with all watches of both open. */
export async function measureDelivery(
  client: BenchClient,
  sides: readonly [Side, Side],
  watchers: number,
): Promise<Row> {
  const rooms = await mapLimited(sides, 1, (side) => openRoom(client, side, watchers));
  for (let write = 0; write < WRITES + 3; write++) {
    for (const room of write % 2 === 0 ? rooms : rooms.toReversed()) await room.write(client, write, write >= 3);
  }
  for (const room of rooms) room.close();
  return newRow(`watch delivery, ${watchers} watchers`, 1, rooms[0]!.figures(), rooms[1]!.figures());
}

interface WatchRoom {
  write(client: BenchClient, turn: number, counts: boolean): Promise<void>;
  figures(): SideFigures;
  close(): void;
}

async function openRoom(client: BenchClient, side: Side, watchers: number): Promise<WatchRoom> {
  const path = collection(side);
  const page = await client.read<{ readonly metadata: { readonly resourceVersion: string } }>({
    path: `${path}?limit=1`,
  });
  let arrived: number[] = [];
  let complete: () => void = () => undefined;
  const onEvent = (): void => {
    arrived.push(performance.now());
    if (arrived.length === watchers) complete();
  };
  const watches = await mapLimited(Array.from({ length: watchers }), 25, () =>
    client.watch(`${path}?watch=true&resourceVersion=${page.metadata.resourceVersion}`, onEvent),
  );
  const latencies: number[] = [];
  const total = { seconds: 0, events: 0, server: 0, client: 0 };
  return {
    async write(writer, turn, counts) {
      arrived = [];
      const all = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`only ${arrived.length} of ${watchers} watchers have seen the write`));
        }, GIVE_UP_MS);
        complete = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      const cpuBefore = side.pids.map(cpuSeconds);
      const clientBefore = process.cpuUsage();
      const started = performance.now();
      await writer.send({
        method: 'PATCH',
        path: `${path}/tenant-${String(turn).padStart(5, '0')}`,
        contentType: 'application/merge-patch+json',
        body: JSON.stringify({ metadata: { annotations: { 'bench.io/turn': `watch-${turn}` } } }),
      });
      await all;
      if (!counts) return;
      for (const at of arrived) latencies.push(at - started);
      total.seconds += (performance.now() - started) / 1000;
      total.events += watchers;
      const { user, system } = process.cpuUsage(clientBefore);
      total.client += (user + system) / 1000;
      side.pids.forEach((pid, at) => (total.server += (cpuSeconds(pid) - cpuBefore[at]!) * 1000));
    },
    figures: () =>
      spread(latencies, {
        rate: total.events / total.seconds,
        serverCpu: total.server / total.events,
        clientCpu: total.client / total.events,
      }),
    close: () => {
      for (const watch of watches) watch.close();
    },
  };
}
