import { describe, expect, test } from 'vitest';
import { applyJsonPatch, MalformedPatchError, parseJsonPatch, PatchFailedError } from './json-patch.ts';
import type { JsonPatchOperation } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { decodeJson } from './json-text.ts';
import type { Json, JsonObject } from './object.ts';

function parse(text: string): JsonObject {
  return decodeJson(text).value as JsonObject;
}

function patched(document: string, patch: string): string {
  return JSON.stringify(applyJsonPatch(parse(document), parseJsonPatch(decodeJson(patch).value).operations));
}

describe('mergePatch', () => {
  // RFC 7396, appendix A, for objects; the last three are evanphx' own edges.
  test.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
    ['{}', '{"a":[{"b":null,"c":1},null]}', '{"a":[{"c":1},null]}'],
    ['{"a":{}}', '{"a":[{"b":null}]}', '{"a":[{"b":null}]}'],
  ])('%s with %s', (target, patch, result) => {
    expect(JSON.stringify(mergePatch(parse(target), parse(patch)))).toBe(result);
  });

  test('keeps its arguments and treats prototype keys as data', () => {
    const target = parse('{"a":{"b":1}}');
    const result = mergePatch(
      target,
      parse('{"__proto__":{"polluted":1},"a":{"constructor":{"prototype":{"polluted":1}}}}'),
    );
    expect(JSON.stringify(target)).toBe('{"a":{"b":1}}');
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(JSON.stringify(result)).toContain('"__proto__":{"polluted":1}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('applyJsonPatch', () => {
  test.each([
    ['{"a":1}', '[{"op":"add","path":"/b","value":2}]', '{"a":1,"b":2}'],
    ['{"a":[1,3]}', '[{"op":"add","path":"/a/1","value":2}]', '{"a":[1,2,3]}'],
    ['{"a":[1]}', '[{"op":"add","path":"/a/-","value":2}]', '{"a":[1,2]}'],
    ['{"a":[1,2]}', '[{"op":"remove","path":"/a/-1"}]', '{"a":[1]}'],
    ['{"a":[1,2]}', '[{"op":"replace","path":"/a/0","value":9}]', '{"a":[9,2]}'],
    ['{"a":1}', '[{"op":"replace","path":"","value":{"b":1}}]', '{"b":1}'],
    ['{"a":{"b":1}}', '[{"op":"move","from":"/a/b","path":"/c"}]', '{"a":{},"c":1}'],
    [
      '{"a":{"b":1}}',
      '[{"op":"copy","from":"/a","path":"/c"},{"op":"add","path":"/c/d","value":2}]',
      '{"a":{"b":1},"c":{"b":1,"d":2}}',
    ],
    [
      '{"a/b":1,"c~d":2}',
      '[{"op":"test","path":"/a~1b","value":1},{"op":"test","path":"/c~0d","value":2}]',
      '{"a/b":1,"c~d":2}',
    ],
    ['{"a":1}', '[{"op":"test","path":"/nope","value":null}]', '{"a":1}'],
    ['{"a":1}', '[{"op":"replace","path":"/nope","value":1}]', '{"a":1,"nope":1}'],
    ['{"a":1}', '[{"op":"copy","from":"/nope","path":"/x"}]', '{"a":1,"x":null}'],
    ['{"a":1}', '[{"op":"add","path":"passed/over","value":1}]', '{"a":1,"over":1}'],
    ['{"a":1}', '[{"op":"add","path":"/a~2b","value":1}]', '{"a":1,"a~2b":1}'],
    ['{"a":1}', 'null', '{"a":1}'],
    ['{"a":{"x":1,"y":2}}', '[{"op":"test","path":"/a","value":{"y":2,"x":1}}]', '{"a":{"x":1,"y":2}}'],
  ])('%s with %s', (document, patch, result) => {
    expect(patched(document, patch)).toBe(result);
  });

  test.each([
    '[{"op":"test","path":"/a","value":2}]',
    '[{"op":"remove","path":"/nope"}]',
    '[{"op":"remove","path":""}]',
    '[{"op":"replace","path":"/l/1","value":1}]',
    '[{"op":"add","path":"","value":{}}]',
    '[{"op":"add","path":"/nope/x","value":1}]',
    '[{"op":"add","path":"/l/7","value":1}]',
    '[{"op":"add","path":"/l/x","value":1}]',
    '[{"op":"add","path":"/l/-9","value":1}]',
    '[{"op":"add","path":"no-slash","value":1}]',
    '[{"op":"copy","from":"/nope/x","path":"/x"}]',
    '[{"op":"move","from":"/l","path":"/l/0"}]',
    '[{"op":"frobnicate","path":"/a"}]',
    '[{"path":"/a"}]',
    '[{"op":"add","path":"/toString/x","value":1}]',
    '[{"op":"remove","path":"/constructor"}]',
    '[{"op":"test","path":"/__proto__/toString","value":null}]',
  ])('%s does not fit', (patch) => {
    expect(() => patched('{"a":1,"l":[1]}', patch)).toThrow(PatchFailedError);
  });

  test.each(['{}', '"x"', '[1]', '[{"op":1,"path":"/a"}]', '[{"op":"add","path":5}]'])('%s is no patch', (patch) => {
    expect(() => parseJsonPatch(decodeJson(patch).value)).toThrow(MalformedPatchError);
  });

  test('names unknown fields of operations', () => {
    expect(parseJsonPatch([{ op: 'add', path: '/a', value: 1, foo: 2 }]).unknownFields).toEqual([
      'json patch unknown field "[0].foo"',
    ]);
  });

  test('never changes the document, also when it fails half way', () => {
    const document = parse('{"a":{"b":[1]}}');
    const operations: readonly JsonPatchOperation[] = [
      { op: 'add', path: '/a/b/-', value: 2 },
      { op: 'remove', path: '/nope' },
    ];
    expect(() => applyJsonPatch(document, operations)).toThrow(PatchFailedError);
    expect(JSON.stringify(document)).toBe('{"a":{"b":[1]}}');
  });

  test('prototype keys are data', () => {
    const result = patched(
      '{"a":{}}',
      '[{"op":"add","path":"/a/__proto__","value":{"polluted":1}},{"op":"add","path":"/a/__proto__/x","value":2}]',
    );
    expect(result).toBe('{"a":{"__proto__":{"polluted":1,"x":2}}}');
    expect(({} as { polluted?: number; x?: number }).polluted).toBeUndefined();
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  test('copying and shifting without end is cut off in time', () => {
    const doubling = Array.from({ length: 60 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }) as const);
    expect(() => applyJsonPatch({ a: ['x'.repeat(100)] }, doubling)).toThrow(PatchFailedError);
    const list: Json = Array.from({ length: 500_000 }, () => 0);
    const shifting = Array.from({ length: 10_000 }, () => ({ op: 'add', path: '/a/0', value: 0 }) as const);
    const started = performance.now();
    expect(() => applyJsonPatch({ a: list }, shifting)).toThrow(PatchFailedError);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('depth', () => {
  const doubled = (times: number) => [
    { op: 'add', path: '/a', value: { b: {} } },
    ...Array.from({ length: times }, (_, i) => ({ op: 'copy', from: '/a', path: `/a${'/b'.repeat(2 ** i)}` })),
  ];

  test.each([9, 12, 13, 16])('copying %d times into itself is refused before nobody could read the result', (times) => {
    const { operations } = parseJsonPatch(doubled(times));
    expect(() => applyJsonPatch({}, operations)).toThrow('exceeded max depth');
  });

  test('allows what a body may hold', () => {
    expect(() => applyJsonPatch({}, parseJsonPatch(doubled(6)).operations)).not.toThrow();
  });
});
