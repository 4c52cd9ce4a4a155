import { mapLimited } from '../../src/base/limiter.ts';
import type { BenchClient } from './api-client.ts';
import type { Operation, Side } from './api-operations.ts';
import { cpuSeconds } from './process-figures.ts';

/** Figures of one row, and how they are printed. */

export interface SideFigures {
  readonly p50: number;
  readonly p99: number;
  /** Requests, or events, a second. */
  readonly rate: number;
  /** Milliseconds of CPU a request: of the servers, and of the client. */
  readonly serverCpu: number;
  readonly clientCpu: number;
}

export interface Row {
  readonly name: string;
  readonly target: number;
  readonly ours: SideFigures | undefined;
  readonly twin: SideFigures | undefined;
  /** How the target is missed; undefined when it is met. */
  readonly missed: string | undefined;
}

/** Requests at a time where the rate is measured. */
const CONCURRENCY = 8;
const BLOCKS = 4;

/**
 * One request at a time, the sides by turns, for the latencies; then blocks with several at a time, by turns too, for the rate.
 * `sides`: ours, then the CRD's.
 */
export async function measureOperation(
  client: BenchClient,
  operation: Operation,
  sides: readonly [Side, Side],
  samples: number,
): Promise<Row> {
  const count = Math.max(10, Math.round(samples * operation.share));
  try {
    const latencies = await measureLatencies(client, operation, sides, count);
    const rates = await measureRates(client, operation, sides, count);
    const figures = sides.map((_, side) => spread(latencies[side]!, rates[side]!)) as [SideFigures, SideFigures];
    return newRow(operation.name, operation.target, figures[0], figures[1]);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : String(error);
    return { name: operation.name, target: operation.target, ours: undefined, twin: undefined, missed: why };
  }
}

async function measureLatencies(
  client: BenchClient,
  operation: Operation,
  sides: readonly Side[],
  count: number,
): Promise<readonly number[][]> {
  const latencies = sides.map(() => [] as number[]);
  const warmUp = Math.min(20, Math.ceil(count / 5));
  for (let index = 0; index < count + warmUp; index++) {
    // Who comes first changes: the second would always find the processor's caches warm.
    const order = index % 2 === 0 ? sides : sides.toReversed();
    for (const side of order) {
      const requests = await operation.prepare(client, side, index);
      const started = performance.now();
      for (const request of requests) await client.send(request);
      if (index >= warmUp) latencies[sides.indexOf(side)]!.push(performance.now() - started);
    }
  }
  return latencies;
}

interface Rate {
  readonly rate: number;
  readonly serverCpu: number;
  readonly clientCpu: number;
}

async function measureRates(
  client: BenchClient,
  operation: Operation,
  sides: readonly Side[],
  count: number,
): Promise<readonly Rate[]> {
  const totals = sides.map(() => ({ seconds: 0, requests: 0, server: 0, client: 0 }));
  // Indexes go on behind those of the latencies, except for deletes, which end where creates ended.
  const begin = count + Math.min(20, Math.ceil(count / 5));
  for (let block = 0; block < BLOCKS; block++) {
    for (const side of block % 2 === 0 ? sides : sides.toReversed()) {
      const total = totals[sides.indexOf(side)]!;
      const indexes = Array.from({ length: Math.ceil(count / 2) }, (_, at) => begin + block * count + at);
      const prepared = await mapLimited(indexes, CONCURRENCY, (index) => operation.prepare(client, side, index));
      const cpuBefore = side.pids.map(cpuSeconds);
      const clientBefore = process.cpuUsage();
      const started = performance.now();
      await mapLimited(prepared, CONCURRENCY, async (requests) => {
        for (const request of requests) await client.send(request);
      });
      total.seconds += (performance.now() - started) / 1000;
      total.requests += prepared.length;
      const { user, system } = process.cpuUsage(clientBefore);
      total.client += (user + system) / 1000;
      side.pids.forEach((pid, at) => (total.server += (cpuSeconds(pid) - cpuBefore[at]!) * 1000));
    }
  }
  return totals.map((total) => ({
    rate: total.requests / total.seconds,
    serverCpu: total.server / total.requests,
    clientCpu: total.client / total.requests,
  }));
}

export function spread(samples: readonly number[], rate: Rate): SideFigures {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), ...rate };
}

export function newRow(name: string, target: number, ours: SideFigures, twin: SideFigures): Row {
  const latency = ours.p50 / twin.p50;
  const rate = twin.rate / ours.rate;
  const missed = [
    ...(latency > target ? [`p50 ${latency.toFixed(2)} times the CRD's`] : []),
    ...(rate > target ? [`a rate ${rate.toFixed(2)} times lower`] : []),
  ];
  return { name, target, ours, twin, missed: missed.length === 0 ? undefined : missed.join(', ') };
}

const columns = [36, 9, 9, 9, 9, 9, 9, 7, 7, 7, 8, 13, 13];

export function printHead(): void {
  printCells(['', 'ours', '', '', 'CRD', '', '', 'ratio', '', '', 'target', 'CPU ms a req', 'client CPU']);
  printCells([
    '',
    'p50 ms',
    'p99 ms',
    'req/s',
    'p50 ms',
    'p99 ms',
    'req/s',
    'p50',
    'p99',
    'rate',
    '',
    'ours/CRD',
    'ours/CRD',
  ]);
}

export function printRow({ name, ours, twin, target, missed }: Row): void {
  if (ours === undefined || twin === undefined) {
    printCells([name, missed ?? '']);
    return;
  }
  const figures = (side: SideFigures): readonly string[] => [
    side.p50.toFixed(2),
    side.p99.toFixed(2),
    side.rate.toFixed(side.rate < 100 ? 1 : 0),
  ];
  printCells([
    name,
    ...figures(ours),
    ...figures(twin),
    (ours.p50 / twin.p50).toFixed(2),
    (ours.p99 / twin.p99).toFixed(2),
    (twin.rate / ours.rate).toFixed(2),
    `${target.toFixed(1)}${missed === undefined ? '' : ' miss'}`,
    `${ours.serverCpu.toFixed(1)}/${twin.serverCpu.toFixed(1)}`,
    `${ours.clientCpu.toFixed(2)}/${twin.clientCpu.toFixed(2)}`,
  ]);
}

function printCells(cells: readonly string[]): void {
  const text = cells.map((cell, at) => (at === 0 ? cell.padEnd(columns[at]!) : cell.padStart(columns[at]!))).join('');
  process.stdout.write(`${text.trimEnd()}\n`);
}
