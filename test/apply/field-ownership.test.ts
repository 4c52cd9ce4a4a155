import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstDifference, shrink } from './difference.ts';
import type { Played } from './generate.ts';
import { playRandom } from './generate.ts';
import { Oracle } from './oracle.ts';
import { Outcomes } from './outcomes.ts';

/** Random writes by several managers: what our field manager makes of each is what upstream's own makes of it. */

const blocks = 40;
const sequencesOfBlock = 100;
const writesOfSequence = 25;

/** At least so many of each among the 100,000 writes. */
const leastCounts = {
  'apply main': 30_000,
  'apply status': 3000,
  'update main': 20_000,
  'update status': 3000,
  'scale scale': 1000,
  'create by apply': 2000,
  'create by update': 2000,
  'status 409': 5000,
  'several conflicts': 3000,
  'status 400': 800,
  'apply changed nothing': 300,
  'apply removed something': 3000,
  'apply by force': 3000,
  'apply without force': 1000,
  'nobody owns': 300,
  'three managers and more': 20_000,
  'ancient changes': 500,
  'before first apply': 300,
};

describe('field ownership', () => {
  const outcomes = new Outcomes();
  let oracle: Oracle;
  let second = 0;

  beforeAll(async () => {
    oracle = await Oracle.start();
  });
  afterAll(async () => oracle?.stop());

  async function compare(seed: number): Promise<string | undefined> {
    const played = play(seed);
    const theirs = await oracle.ask(played.sequence);
    outcomes.add(played);
    const at = firstDifference(played.results, theirs);
    return at === undefined ? undefined : `seed ${seed}\n${await shrink(oracle, played, at)}`;
  }

  function play(seed: number): Played {
    const played = playRandom(seed, writesOfSequence, second);
    second += writesOfSequence + 1;
    return played;
  }

  for (let block = 0; block < blocks; block++) {
    const first = block * sequencesOfBlock + 1;
    it(`is upstream's after ${sequencesOfBlock * writesOfSequence} writes from seed ${first} on`, async () => {
      let next = first;
      const differences: string[] = [];
      // Two at a time: while upstream is busy with one we play the other.
      const worker = async () => {
        while (next < first + sequencesOfBlock && differences.length === 0) {
          const difference = await compare(next++);
          if (difference !== undefined) differences.push(difference);
        }
      };
      await Promise.all([worker(), worker(), worker()]);
      expect(differences).toEqual([]);
    });
  }

  it('was judged in all the ways that it can come out', () => {
    const counts = Object.fromEntries(outcomes.counts);
    for (const [outcome, least] of Object.entries(leastCounts)) {
      expect(counts[outcome] ?? 0, outcome).toBeGreaterThanOrEqual(least);
    }
  });
});
