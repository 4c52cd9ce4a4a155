/**
 * The same requests to a custom resource of kube-apiserver's and to ours, through the same kube-apiserver. No answer is written down
 * here: what kube-apiserver says about the twin is what ours has to say.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParityCase } from './case.ts';
import { sections } from './cases/all.ts';
import type { Difference } from './compare.ts';
import { compare } from './compare.ts';
import { deliberateDifferences, deliberatePaths, deliberateWordings } from './deliberate-differences.ts';
import { normalise, seenWordings } from './normalise.ts';
import { namespaceOf, runOnSide, slugOf } from './side.ts';
import type { World } from './world.ts';
import { openWorld } from './world.ts';

/** Cases at a time; most of them wait for the network or for a watch. */
const AT_ONCE = 12;
const only = process.env['PARITY_ONLY'];

const cases = sections
  .flatMap((section) => section.cases)
  .filter(({ name }) => only === undefined || new RegExp(only).test(name));
const outcomes = new Map<string, PromiseWithResolvers<readonly Difference[]>>(
  cases.map(({ name }) => [name, Promise.withResolvers()]),
);
let world: World;

beforeAll(async () => {
  // Whoever waits for an outcome gets its rejection; one that nobody waits for yet is not to end the process.
  for (const { promise } of outcomes.values()) promise.catch(() => undefined);
  world = await openWorld([...new Set(cases.map(namespaceOf))]);
  void runAll();
});
afterAll(async () => {
  await world?.close();
});

async function differencesOf(parityCase: ParityCase): Promise<readonly Difference[]> {
  const [twin, ours] = await Promise.all(
    (['twin', 'ours'] as const).map(async (side) =>
      normalise(side, await runOnSide(parityCase, { name: side, api: world.api })),
    ),
  );
  return compare(twin, ours);
}

async function runAll(): Promise<void> {
  const waiting = [...cases];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await settle(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function settle(parityCase: ParityCase): Promise<void> {
  const outcome = outcomes.get(parityCase.name)!;
  try {
    outcome.resolve(await differencesOf(parityCase));
  } catch (error) {
    outcome.reject(error);
  }
}

function shown({ path, twin, ours }: Difference): string {
  return `${path}\n    twin ${JSON.stringify(twin)}\n    ours ${JSON.stringify(ours)}`;
}

for (const section of sections) {
  describe(section.name, () => {
    for (const parityCase of section.cases.filter(({ name }) => outcomes.has(name))) {
      it(parityCase.name, async () => {
        const differences = await outcomes.get(parityCase.name)!.promise;
        const deliberate = deliberatePaths(parityCase.name);
        const covers = (path: string, { path: at }: Difference): boolean => at === path || at.startsWith(`${path}.`);
        const unexpected = differences.filter((difference) => !deliberate.some((path) => covers(path, difference)));
        const gone = deliberate.filter((path) => !differences.some((difference) => covers(path, difference)));
        expect(unexpected.map(shown).join('\n')).toBe('');
        expect(gone, 'deliberate differences that no longer occur').toEqual([]);
      });
    }
  });
}

describe('the suite', () => {
  it('has at least 400 cases with names of their own', () => {
    const names = sections.flatMap((section) => section.cases.map(({ name }) => name));
    expect(names.length).toBeGreaterThanOrEqual(400);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(sections.flatMap((section) => section.cases.map(slugOf))).size).toBe(names.length);
  });

  it.skipIf(only !== undefined)('has met every deliberate wording', async () => {
    await Promise.allSettled([...outcomes.values()].map(({ promise }) => promise));
    expect(deliberateWordings.filter((wording) => !seenWordings.has(wording))).toEqual([]);
  });

  it('has a reason for every deliberate difference, and a case', () => {
    const names = new Set(sections.flatMap((section) => section.cases.map(({ name }) => name)));
    for (const { reason, where } of deliberateDifferences) {
      expect(reason.length).toBeGreaterThan(20);
      expect(where.filter(({ paths, cases: named }) => paths.length === 0 || named.length === 0)).toEqual([]);
      expect(where.flatMap((entry) => entry.cases).filter((name) => !names.has(name))).toEqual([]);
    }
  });
});
