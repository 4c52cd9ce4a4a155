import { describe, expect, test } from 'vitest';
import type { Change } from '../history.ts';
import { RecentChanges } from './recent-changes.ts';

const put = (revision: number, key = `/a/${revision}`, value = 'x'): Change => ({
  type: 'put',
  key,
  value,
  previous: undefined,
  revision,
});

describe('recent changes', () => {
  test('are told from any revision that they reach back to', () => {
    const recent = new RecentChanges(10, 100, 1_000);
    for (const revision of [11, 13, 14]) recent.add(put(revision));
    recent.advance(20);
    expect(recent.read('/a/', 9, 10)).toBeUndefined();
    expect(recent.read('/a/', 12, 10)).toEqual({ changes: [put(13), put(14)], completeTo: 20, atHead: true });
    expect(recent.read('/b/', 10, 10)).toEqual({ changes: [], completeTo: 20, atHead: true });
    expect(recent.read('/a/', 25, 10)).toEqual({ changes: [], completeTo: 25, atHead: true });
  });

  test('come in slices that never part changes of one revision', () => {
    const recent = new RecentChanges(1, 100, 1_000);
    for (const change of [put(2), put(3, '/a/x'), put(3, '/a/y'), put(4)]) recent.add(change);
    expect(recent.read('/a/', 1, 2)).toEqual({
      changes: [put(2), put(3, '/a/x'), put(3, '/a/y')],
      completeTo: 3,
      atHead: false,
    });
  });

  test('are bounded in number and size', () => {
    const many = new RecentChanges(0, 10, 1_000);
    for (let revision = 1; revision <= 100; revision += 1) many.add(put(revision));
    expect(many.floor).toBeGreaterThan(85);
    expect(many.read('/a/', many.floor, 100)?.changes.length).toBe(100 - many.floor);
    const large = new RecentChanges(0, 1_000, 50);
    for (let revision = 1; revision <= 20; revision += 1) large.add(put(revision, '/a/k', 'x'.repeat(10)));
    expect(large.floor).toBeGreaterThan(12);
  });

  test('forget what was compacted', () => {
    const recent = new RecentChanges(0, 10, 1_000);
    for (let revision = 1; revision <= 5; revision += 1) recent.add(put(revision));
    recent.forget(3);
    expect(recent.read('/a/', 2, 10)).toBeUndefined();
    expect(recent.read('/a/', 3, 10)?.changes).toEqual([put(4), put(5)]);
    recent.forget(9);
    expect([recent.floor, recent.head]).toEqual([9, 9]);
  });
});
