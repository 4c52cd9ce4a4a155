import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../apimachinery/object.ts';
import { FakeClock } from '../../../base/fake-clock.ts';
import { RecentWrites } from './recent.ts';

interface Thing extends KubeObject {
  readonly data?: string;
}

describe('recent writes', () => {
  let clock: FakeClock;
  let cached: Thing | undefined;
  let recent: RecentWrites<Thing>;
  beforeEach(async () => {
    clock = new FakeClock();
    await clock.advance(1_000);
    cached = undefined;
    recent = new RecentWrites<Thing>({ get: () => cached } as never, clock);
  });

  const thing = (resourceVersion: string, data?: string, uid = 'u1'): Thing => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a', namespace: 'n', uid, resourceVersion },
    ...(data === undefined ? {} : { data }),
  });
  const seen = (): string | undefined => recent.get('n', 'a')?.data;

  it('are seen before the cache has them, and no longer when it has something newer', () => {
    expect(seen()).toBeUndefined();
    recent.remember(thing('9', 'ours'));
    expect(seen()).toBe('ours');
    cached = thing('8', 'old');
    expect(seen()).toBe('ours');
    // As numbers, not as texts.
    cached = thing('10', 'newer');
    expect(seen()).toBe('newer');
    recent.remember(thing('9', 'late'));
    expect(seen()).toBe('newer');
    recent.remember(thing('18446744073709551616', 'large'));
    expect(seen()).toBe('large');
  });

  it('are not replaced by an object with its metadata alone', () => {
    recent.remember(thing('9', 'ours'));
    recent.remember(thing('9'));
    recent.remember(thing('10'));
    expect(seen()).toBe('ours');
  });

  it('end when the watch tells that this very object was deleted', () => {
    recent.remember(thing('9', 'ours', 'second'));
    recent.forget(thing('8', 'old', 'first'));
    expect(seen()).toBe('ours');
    recent.forget(thing('10', 'ours', 'second'));
    expect(seen()).toBeUndefined();
    recent.forget(thing('10', 'ours', 'never'));
  });

  it('end after a minute', async () => {
    recent.remember(thing('9', 'ours'));
    await clock.advance(59_000);
    expect(seen()).toBe('ours');
    await clock.advance(2_000);
    expect(seen()).toBeUndefined();
  });
});
