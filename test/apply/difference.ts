import { deepEqual } from '../../src/apimachinery/json.ts';
import type { Oracle } from './oracle.ts';
import type { Played } from './generate.ts';
import { replay } from './generate.ts';
import type { Result, Sequence } from './writes.ts';

/** The first write whose results differ; undefined: none. */
export function firstDifference(ours: readonly Result[], theirs: readonly Result[]): number | undefined {
  const at = ours.findIndex((result, index) => !deepEqual(comparable(result), comparable(theirs[index] ?? {})));
  if (at >= 0) return at;
  return ours.length === theirs.length ? undefined : ours.length;
}

/**
 * Without what upstream leaves to chance: the order of managers among the causes, and of several findings. The one deliberate
 * difference: an applied object that does not fit its schema is the client's mistake, 400, where upstream has no status and ends
 * up with 500.
 */
function comparable({ object, status }: Result): unknown {
  if (status === undefined) return object;
  const { message = '', details } = status;
  const isMistyped = message.startsWith('failed to create typed patch object ');
  const { code, reason = '' } = isMistyped && status.code === 500 ? { code: 400, reason: 'BadRequest' } : status;
  const causes = [...(details?.causes ?? [])].sort((a, b) => order(a.message ?? '', b.message ?? ''));
  const lines = message.startsWith('Apply failed') ? message : message.split('\n').sort().join('\n');
  return { code, reason, message: lines, causes };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Drops writes as long as the rest still differs. */
export async function shrink(judge: Oracle, played: Played, at: number): Promise<string> {
  const oracle = judge.another();
  try {
    return await shrinkWith(new Attempts(oracle), played, at);
  } finally {
    await oracle.stop();
  }
}

/** Asks about the same times again and again, each time a day later. */
class Attempts {
  readonly #oracle: Oracle;
  #days = 0;

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  async try(sequence: Sequence): Promise<{ readonly ours: Played; readonly theirs: readonly Result[] }> {
    const day = this.#days++;
    const later = (time: string) => `${new Date(Date.parse(time) + day * 86_400_000).toISOString().slice(0, 19)}Z`;
    const writes = sequence.writes.map((write) => ({ ...write, now: later(write.now) }));
    const ours = replay({ ...sequence, writes });
    return { ours, theirs: await this.#oracle.ask(ours.sequence) };
  }
}

async function shrinkWith(attempts: Attempts, played: Played, at: number): Promise<string> {
  let sequence: Sequence = { ...played.sequence, writes: played.sequence.writes.slice(0, at + 1) };
  for (let drop = sequence.writes.length - 2; drop >= 0; drop--) {
    const shorter = { ...sequence, writes: sequence.writes.filter((_, index) => index !== drop) };
    if ((await differs(attempts, shorter)) !== undefined) sequence = shorter;
  }
  const { ours, theirs } = await attempts.try(sequence);
  const last = firstDifference(ours.results, theirs) ?? sequence.writes.length - 1;
  return [
    `${sequence.crd}, write ${last} of ${sequence.writes.length}`,
    ...sequence.writes.map((write) => `  ${JSON.stringify(write)}`),
    `stored before: ${JSON.stringify(ours.lives[last])}`,
    `ours:     ${JSON.stringify(sorted(ours.results[last]))}`,
    `upstream: ${JSON.stringify(sorted(theirs[last]))}`,
  ].join('\n');
}

/** A sequence that upstream can't begin with, such as a scale of nothing, proves nothing. */
async function differs(attempts: Attempts, sequence: Sequence): Promise<number | undefined> {
  const [first] = sequence.writes;
  if (first === undefined || first.subresource !== '') return undefined;
  const hasLost = sequence.writes.some(
    ({ verb }, index) => verb === 'delete' && sequence.writes[index + 1]?.subresource !== '',
  );
  if (hasLost) return undefined;
  try {
    const { ours, theirs } = await attempts.try(sequence);
    return firstDifference(ours.results, theirs);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => sorted(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => order(a, b));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
