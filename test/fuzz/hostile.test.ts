/** 12,000 requests that no decent client sends, from fixed seeds, at our own port. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OWN_PORT } from '../env/raw-api.ts';
import { fault } from './answers.ts';
import { hostileRequest, toBytes, type HostileRequest } from './hostile.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { RawConnection, WireError, type WireAnswer } from './raw-connection.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

const connection = (): RawConnection => new RawConnection({ ...OWN_PORT, ...world.credentials });

function describeRequest(seed: number, index: number, request: HostileRequest): string {
  const { method, target, headers, body } = request;
  return `seed ${seed} request ${index}: ${method} ${target.slice(0, 300)} ${headers.join(' | ').slice(0, 300)} ${body.toString('utf8').slice(0, 300)}`;
}

async function ask(wire: RawConnection, request: HostileRequest): Promise<WireAnswer | undefined | string> {
  try {
    return await wire.send(toBytes(request), {
      half: request.truncated,
      bodiless: request.method === 'HEAD',
      timeoutMs: 8_000,
    });
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

/** Who sends less than he says, or a control character in a header, may be hung up on. */
function isHttp({ truncated, headers }: HostileRequest): boolean {
  // oxlint-disable-next-line no-control-regex
  return !truncated && !headers.some((line) => /[\u0000-\u001f]/.test(line));
}

/** Sends `count` requests over one connection after the other; answers what was wrong. */
async function attack(seed: number, count: number): Promise<readonly string[]> {
  const random = new SeededRandom(seed);
  const wire = connection();
  const faults: string[] = [];
  for (let index = 0; index < count; index++) {
    const request = hostileRequest(random);
    const answer = await ask(wire, request);
    const where = describeRequest(seed, index, request);
    if (typeof answer === 'string') {
      faults.push(`${answer} at ${where}`);
      wire.close();
    } else if (answer === undefined) {
      if (isHttp(request)) faults.push(`closed without an answer at ${where}`);
    } else {
      const wrong = fault(request.method, answer);
      if (wrong !== undefined) faults.push(`${wrong} at ${where}`);
      if (answer.elapsedMs > 5_000) faults.push(`${Math.round(answer.elapsedMs)} ms at ${where}`);
    }
  }
  wire.close();
  return faults;
}

describe('every answer is an object or a Status, never a fault of ours', () => {
  it.each(Array.from({ length: 10 }, (_, index) => 1_000 + index))('1,000 requests of seed %i', async (seed) => {
    const pid = world.server.pid();
    expect(await attack(seed, 1_000)).toEqual([]);
    expect(world.server.pid()).toBe(pid);
  });

  it('2,000 requests of ten seeds at once', async () => {
    const faults = await Promise.all(Array.from({ length: 10 }, (_, index) => attack(2_000 + index, 200)));
    expect(faults.flat()).toEqual([]);
  });
});

describe('afterwards', () => {
  it('everything that is stored can be read', async () => {
    expect(await world.readAll()).toBeGreaterThanOrEqual(2);
  });

  it('the memory is bounded', async () => {
    expect(await world.residentMib()).toBeLessThan(600);
  });

  it('no prototype was touched: ordinary objects are answered as ever', async () => {
    const { items } = await world.own.read<{ readonly items: readonly object[] }>(
      '/apis/kamaji.io/v1alpha1/datastores',
    );
    expect(JSON.stringify(items)).not.toContain('polluted');
  });

  it('the server restarts on the same store and reads all of it', async () => {
    const before = await world.readAll();
    await world.server.stop();
    await world.server.start('own-port');
    expect(await world.readAll()).toBe(before);
  });
});

it('the store moves only for a request that was answered with success', async () => {
  const random = new SeededRandom(3_000);
  const wire = connection();
  let refused = 0;
  let before = await world.revision();
  for (let index = 0; index < 600; index++) {
    const request = hostileRequest(random);
    if (request.method === 'GET' || request.truncated) continue;
    const answer = await ask(wire, request);
    const after = await world.revision();
    const succeeded = typeof answer === 'object' && answer.code < 300;
    if (!succeeded) {
      expect(after, describeRequest(3_000, index, request)).toBe(before);
      refused++;
    }
    before = after;
  }
  wire.close();
  expect(refused).toBeGreaterThan(300);
});
