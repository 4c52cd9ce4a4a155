import { expectTypeOf, test } from 'vitest';
import { array, computed, extend, integer, intOrString, map, nullable, object, required, string } from './builders.ts';
import type { Static } from './typed.ts';

test('static types follow the schema', () => {
  const schema = object({
    name: required(string()),
    mode: string({ enum: ['A', 'B'], default: 'A' }),
    note: string(),
    port: integer({ default: 1 }),
    filled: computed(array(string())),
    maybe: nullable(string()),
    surge: intOrString(),
    byName: map(integer()),
    nested: object({ n: integer({ default: 1 }) }, { default: {} }),
    items: array(object({ id: required(integer()) })),
  });
  expectTypeOf<Static<typeof schema>>().toEqualTypeOf<{
    readonly name: string;
    readonly mode: 'A' | 'B';
    readonly note?: string;
    readonly port: number;
    readonly filled: readonly string[];
    readonly maybe?: string | null;
    readonly surge?: string | number;
    readonly byName?: Readonly<Record<string, number>>;
    readonly nested: { readonly n: number };
    readonly items?: readonly { readonly id: number }[];
  }>();
});

test('an extended object has both parts', () => {
  const schema = extend(object({ a: string() }), { b: required(integer()) });
  expectTypeOf<Static<typeof schema>>().toExtend<{ readonly a?: string; readonly b: number }>();
  expectTypeOf<{ readonly a: string }>().not.toExtend<Static<typeof schema>>();
});
