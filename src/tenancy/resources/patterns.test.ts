/** Patterns of our schemas against strings that make careless ones try every way to fail. */
import { describe, expect, test } from 'vitest';
import type { Schema } from '../../apimachinery/schema/schema.ts';
import { validate } from '../../apimachinery/schema/validation.ts';
import { allResources } from './all.ts';

const LENGTH = 100_000;
/** What an expression that looks at each character once needs a hundredth of. */
const LIMIT_MS = 250;

const pieces = ['0', '1.', 'a', 'aA', 'a.', 'a-', '-', '.', '*.', '_', ',', ':', 'Ki', 'e1', 'x1.', '/', ' '];
const endings = ['', '!', '\n', '-', '.', 'é'];

function patternsOf(schema: Schema, found = new Set<string>()): ReadonlySet<string> {
  if (schema.pattern !== undefined) found.add(schema.pattern);
  const { properties = {}, items, additionalProperties } = schema;
  const below = [...Object.values(properties), items, additionalProperties];
  for (const part of below) if (typeof part === 'object') patternsOf(part, found);
  return found;
}

const patterns = new Set(
  allResources({ tenantControlPlaneConnect: [] }).flatMap(({ schema }) => [...patternsOf(schema)]),
);

describe('a pattern is matched quickly, whatever the text', () => {
  test.each([...patterns])('%s', (pattern) => {
    for (const piece of pieces) {
      for (const ending of endings) {
        for (const start of ['', 'a', '*.', '+']) {
          const text = start + piece.repeat(LENGTH / piece.length) + ending;
          const began = performance.now();
          validate({ type: 'string', pattern }, text);
          expect(performance.now() - began, `${text.slice(0, 6)}...${ending}`).toBeLessThan(LIMIT_MS);
        }
      }
    }
  });

  test('there are some', () => expect(patterns.size).toBeGreaterThan(1));
});
