import { describe, expect, test } from 'vitest';
import { humanDuration } from './duration.ts';
import { findValues, parseJsonPath } from './json-path.ts';
import type { KubeObject } from './object.ts';
import { newTableConverter } from './table.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

describe('humanDuration', () => {
  // The table of k8s.io/apimachinery/pkg/util/duration, TestHumanDuration.
  test.each([
    [1000, '1s'],
    [70_000, '70s'],
    [190_000, '3m10s'],
    [10 * minute, '10m'],
    [47 * minute, '47m'],
    [3 * hour, '3h'],
    [3 * hour + 45 * minute, '3h45m'],
    [8 * hour, '8h'],
    [2 * day, '2d'],
    [2 * day + 3 * hour, '2d3h'],
    [8 * day, '8d'],
    [730 * day, '2y'],
    [3 * 365 * day + 5 * day, '3y5d'],
    [9 * 365 * day, '9y'],
    [-500, '0s'],
    [-1000, '0s'],
    [-2500, '<invalid>'],
  ])('%i ms: %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });
});

describe('parseJsonPath', () => {
  const object = {
    a: {
      'x.y': 1,
      list: [
        { type: 'A', v: 1 },
        { type: 'Ready', v: 2 },
        { type: 'Ready', v: 3 },
      ],
    },
    n: null,
  };

  test.each([
    ['.a["x.y"]', undefined],
    ["['a']['x.y']", [1]],
    ['.a.x\\.y', [1]],
    ['.a.list[0].v', [1]],
    ['.a.list[-1].v', [3]],
    ['.a.list[9].v', []],
    ['.a.list[*].v', [1, 2, 3]],
    ['.a.list[?(@.type=="Ready")].v', [2, 3]],
    [".a.list[?(@.type=='A')].v", [1]],
    ['.a.list[?(@.v!=2)].type', ['A', 'Ready']],
    ['.missing.deep', []],
    ['.n', [null]],
    ['.constructor', []],
    ['..a', undefined],
    ['.a[1:2]', undefined],
  ])('%s', (path, values) => {
    if (values === undefined) expect(() => parseJsonPath(path)).toThrow('unsupported JSONPath');
    else expect(findValues(object, parseJsonPath(path))).toEqual(values);
  });
});

describe('newTableConverter', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { s: 'text', i: 5, f: 1.5, b: false, o: { k: 1 }, z: null, wrong: 'no number', date: 'never' },
  } as KubeObject;
  const column = (type: 'string' | 'integer' | 'number' | 'boolean' | 'date', jsonPath: string) =>
    ({ name: 'C', type, description: '', jsonPath }) as const;

  test.each([
    [column('string', '.spec.s'), 'text'],
    [column('string', '.spec.i'), '5'],
    [column('string', '.spec.o'), '{"k":1}'],
    [column('string', '.spec.missing'), null],
    [column('integer', '.spec.i'), 5],
    [column('integer', '.spec.f'), 1],
    [column('integer', '.spec.wrong'), null],
    [column('number', '.spec.f'), 1.5],
    [column('boolean', '.spec.b'), false],
    [column('boolean', '.spec.s'), null],
    [column('date', '.metadata.creationTimestamp'), '2d'],
    [column('date', '.spec.date'), '<invalid>'],
    [column('date', '.spec.missing'), null],
  ])('%j', (source, cell) => {
    expect(newTableConverter([source]).cells(object, Date.parse('2026-01-03T00:00:00Z'))).toEqual(['x', cell]);
  });

  test('shows the age where a kind names no columns', () => {
    const table = newTableConverter([]);
    expect(table.columns.map(({ name }) => name)).toEqual(['Name', 'Age']);
  });
});
