import { readdirSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isJsonObject } from '../../apimachinery/json.ts';
import type { Json, KubeObject } from '../../apimachinery/object.ts';
import { applyDefaults } from '../../apimachinery/schema/defaulting.ts';
import { checksFormat } from '../../apimachinery/schema/formats.ts';
import { toOpenApiV2, toOpenApiV3 } from '../../apimachinery/schema/openapi.ts';
import { prune } from '../../apimachinery/schema/pruning.ts';
import type { Schema } from '../../apimachinery/schema/schema.ts';
import { validate } from '../../apimachinery/schema/validation.ts';
import type { ResourceDefinition } from '../../apiserver/registry/definition.ts';
import { allResources } from './all.ts';

const definitions: readonly ResourceDefinition[] = allResources({ tenantControlPlaneConnect: [] });

test('every folder is in the table', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(definitions.map((definition) => definition.plural).sort()).toEqual(
    folders.map((folder) => folder.name).sort(),
  );
});

/** Every schema within one, with the path to it. */
function parts(schema: Schema, path = ''): readonly (readonly [string, Schema])[] {
  return [
    [path, schema],
    ...Object.entries(schema.properties ?? {}).flatMap(([name, part]) => parts(part, `${path}.${name}`)),
    ...(schema.items === undefined ? [] : parts(schema.items, `${path}[]`)),
    ...(typeof schema.additionalProperties === 'object' ? parts(schema.additionalProperties, `${path}{}`) : []),
  ];
}

const pathsWhere = (schema: Schema, wrong: (part: Schema) => boolean) =>
  parts(schema).flatMap(([path, part]) => (wrong(part) ? [path] : []));

/** Formats that say what a number or text is for, and that nobody checks. */
const UNCHECKED_FORMATS = new Set(['int32', 'int64']);

describe.each(definitions.map((definition) => [definition.kind, definition] as const))(
  '%s',
  (_, { schema, ...definition }) => {
    test('keeps the rules of structural schemas', () => {
      expect(
        pathsWhere(schema, (part) => part.properties !== undefined && part.additionalProperties !== undefined),
      ).toEqual([]);
      expect(pathsWhere(schema, (part) => part.type === 'array' && part.items === undefined)).toEqual([]);
      expect(
        pathsWhere(
          schema,
          (part) =>
            (part.type === undefined) ===
            (part['x-kubernetes-int-or-string'] !== true && part['x-kubernetes-preserve-unknown-fields'] !== true),
        ),
      ).toEqual([]);
      expect(
        pathsWhere(schema, (part) => (part.required ?? []).some((name) => part.properties?.[name] === undefined)),
      ).toEqual([]);
      expect(
        pathsWhere(
          schema,
          (part) => part.format !== undefined && !checksFormat(part.format) && !UNCHECKED_FORMATS.has(part.format),
        ),
      ).toEqual([]);
      expect(pathsWhere(schema, (part) => part.pattern !== undefined && !isRegExp(part.pattern))).toEqual([]);
    });

    test('says of every list how it merges, and lists of keys have them', () => {
      expect(
        pathsWhere(schema, (part) => part.type === 'array' && part['x-kubernetes-list-type'] === undefined),
      ).toEqual([]);
      const keyless = (part: Schema) =>
        part['x-kubernetes-list-type'] === 'map' &&
        !(part['x-kubernetes-list-map-keys'] ?? []).every(
          (key) => part.items?.required?.includes(key) === true || part.items?.properties?.[key]?.default !== undefined,
        );
      expect(pathsWhere(schema, keyless)).toEqual([]);
    });

    test('describes every field', () => {
      const undescribed = parts(schema).flatMap(([path, { properties = {} }]) =>
        Object.entries(properties).flatMap(([name, property]) => (property.description ? [] : [`${path}.${name}`])),
      );
      expect(undescribed).toEqual([]);
    });

    test('has defaults that are valid', () => {
      const wrong = parts(schema).flatMap(([path, part]) =>
        part.default === undefined ? [] : validate(part, applyDefaults(part, part.default), path),
      );
      expect(wrong).toEqual([]);
    });

    test('turns into OpenAPI without keywords that break its readers', () => {
      const known =
        /^(type|description|format|default|nullable|enum|pattern|(min|max)(Length|imum|Items)|uniqueItems|properties|required|additionalProperties|items|anyOf|x-kubernetes-[a-z-]+)$/;
      const keywords = (document: object): readonly string[] =>
        Object.entries(document).flatMap(([key, value]) => [
          key,
          ...(key === 'properties' ? Object.values(value as object).flatMap(keywords) : []),
          ...(key === 'items' || (key === 'additionalProperties' && typeof value === 'object')
            ? keywords(value as object)
            : []),
        ]);
      expect(keywords(toOpenApiV3(schema)).filter((key) => !known.test(key))).toEqual([]);
      expect(
        keywords(toOpenApiV2(schema)).filter((key) => !known.test(key) || key === 'anyOf' || key === 'nullable'),
      ).toEqual([]);
    });

    test('has columns for fields that exist', () => {
      const missing = definition.printerColumns.filter(
        ({ jsonPath }) =>
          !jsonPath.startsWith('.metadata.') &&
          !parts(schema).some(([path]) => path === jsonPath.replace(/\[\?.*?\]/, '[]')),
      );
      expect(missing).toEqual([]);
      const { scale } = definition.subresources;
      for (const path of scale === undefined
        ? []
        : [scale.specReplicasPath, scale.statusReplicasPath, scale.labelSelectorPath]) {
        expect(parts(schema).some(([known]) => known === path)).toBe(true);
      }
    });

    test('valid objects come through pruning and defaulting whole, and twice is the same as once', () => {
      const strategyDefault = (object: KubeObject) => definition.strategy.default?.(object) ?? object;
      fc.assert(
        fc.property(valueOf(schema), (value) => {
          const object = value as unknown as KubeObject;
          const once = prune(schema, object);
          expect(once.unknownFields).toEqual([]);
          expect(once.object).toBe(object);
          const defaulted = strategyDefault(applyDefaults(schema, object));
          expect(validate(schema, defaulted)).toEqual([]);
          expect(contains(defaulted, value)).toBe(true);
          expect(strategyDefault(applyDefaults(schema, defaulted))).toEqual(defaulted);
          expect(prune(schema, defaulted)).toEqual({ object: defaulted, unknownFields: [] });
        }),
        { numRuns: 60 },
      );
    });

    test('objects of any shape are refused or accepted, and never crash', () => {
      fc.assert(
        fc.property(fc.oneof(fc.jsonValue(), fc.record({ spec: fc.jsonValue() })), (value) => {
          const { object } = prune(schema, value as unknown as KubeObject);
          const defaulted =
            definition.strategy.default?.(applyDefaults(schema, object)) ?? applyDefaults(schema, object);
          if (validate(schema, defaulted).length === 0) definition.strategy.validateCreate?.(defaulted);
        }),
      );
    });

    test('rules of the kind cope with everything that its schema lets through', () => {
      fc.assert(
        fc.property(valueOf(schema), (value) => {
          const object = { ...(value as unknown as KubeObject), metadata: { name: 'x', uid: 'u' } };
          const defaulted =
            definition.strategy.default?.(applyDefaults(schema, object)) ?? applyDefaults(schema, object);
          definition.strategy.validateCreate?.(defaulted);
          definition.strategy.validateUpdate?.(
            defaulted,
            object === defaulted ? object : applyDefaults(schema, defaulted),
          );
          definition.strategy.warnings?.(defaulted, undefined);
          definition.strategy.claims?.(defaulted);
        }),
        { numRuns: 60 },
      );
    });
  },
);

function isRegExp(pattern: string): boolean {
  return new RegExp(pattern, 'u').source !== '';
}

/** Whether `whole` has everything that `part` has. Empty texts and lists may have been filled by defaulting. */
function contains(whole: Json | undefined | object, part: Json | undefined): boolean {
  if (part === '' || (Array.isArray(part) && part.length === 0)) return whole !== undefined;
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      part.length === whole.length &&
      part.every((item, index) => contains(whole[index] as Json, item as Json))
    );
  }
  if (!isJsonObject(part)) return whole === part;
  return isJsonObject(whole) && Object.keys(part).every((key) => contains(whole[key], part[key]));
}

/** Values that satisfy a schema, most properties left out. */
function valueOf(schema: Schema): fc.Arbitrary<Json> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return fc.jsonValue({ maxDepth: 2 });
  if (schema['x-kubernetes-int-or-string'] === true) {
    return schema.pattern === undefined
      ? fc.oneof(fc.nat(100), fc.constant('25%'))
      : fc.oneof(fc.nat(100), fc.constant('100Mi'));
  }
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return fc.integer({ min: schema.minimum ?? -5, max: schema.maximum ?? 70_000 });
    case 'array':
      return arrayOf(schema);
    case 'object':
      return objectOf(schema);
    default:
      return textOf(schema);
  }
}

function textOf({ format, pattern, minLength = 0, maxLength = 20 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') return fc.constant('2026-01-02T03:04:05Z');
  if (format === 'byte') return fc.constant('YQ==');
  if (pattern !== undefined) return fc.constant('abc');
  const text = fc.string({ minLength, maxLength: Math.min(maxLength, 20), unit: 'grapheme' });
  const bounded = text.filter((value) => validate({ minLength, maxLength }, value).length === 0);
  return fc.oneof(bounded, fc.constantFrom('10.1.0.0/16', 'fd00::/64', 'v1.36.0', 'example.org', '--a=b', '10.1.0.10'));
}

function arrayOf(schema: Schema): fc.Arbitrary<readonly Json[]> {
  const limits = { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 2, 2) };
  const items = valueOf(schema.items ?? {});
  const keys = schema['x-kubernetes-list-map-keys'];
  if (keys !== undefined) {
    const key = (value: Json) =>
      JSON.stringify(
        keys.map((name) =>
          isJsonObject(value) ? (value[name] ?? schema.items?.properties?.[name]?.default) : undefined,
        ),
      );
    return fc.uniqueArray(items, { ...limits, selector: key });
  }
  return schema['x-kubernetes-list-type'] === 'set' ? fc.uniqueArray(items, limits) : fc.array(items, limits);
}

function objectOf(schema: Schema): fc.Arbitrary<Json> {
  if (typeof schema.additionalProperties === 'object') {
    const key = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('__proto__', 'constructor', 'a/b'));
    return fc.dictionary(key, valueOf(schema.additionalProperties), { maxKeys: 2, noNullPrototype: true });
  }
  const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const value = valueOf(property);
    const present = schema.required?.includes(name) === true;
    return [name, present ? value : fc.option(value, { nil: undefined, freq: 2 })] as const;
  });
  return fc
    .record(Object.fromEntries(properties))
    .map((value) => Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Json);
}
