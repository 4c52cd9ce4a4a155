/** Our documents beside those that kube-apiserver publishes for custom resources of the same kinds. */
import { afterAll, describe, expect, it } from 'vitest';
import { TWIN_GROUP } from '../env/twin-crd.ts';
import { differencesV2, differencesV3, type DeliberateDifference } from './deliberate-differences.ts';
import { openWorld, OWN_DOCUMENT, TWIN_DOCUMENT } from './world.ts';

const world = await openWorld();
afterAll(() => world.close());
const { cluster } = world;

type Document = Readonly<Record<string, unknown>>;

/** The twin's document in our group's words. */
function renamed(document: unknown): Document {
  const text = JSON.stringify(document)
    .replaceAll(TWIN_GROUP, 'kamaji.io')
    .replaceAll('io.kamaji.twin', 'io.kamaji')
    .replaceAll('TwinKamajiIo', 'KamajiIo')
    .replaceAll('twinKamajiIo', 'kamajiIo');
  return JSON.parse(text) as Document;
}

/** Places where the documents differ, as JSON pointers; lists differ as a whole. */
function differences(ours: unknown, theirs: unknown, at = ''): readonly string[] {
  if (isObject(ours) && isObject(theirs)) {
    return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].flatMap((key) =>
      differences(ours[key], theirs[key], `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
    );
  }
  return JSON.stringify(sorted(ours)) === JSON.stringify(sorted(theirs)) ? [] : [at];
}

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key])]),
  );
}

/** What belongs to one group in the cluster's v2, with the parameters that operations share written out. */
function partOf(document: Document, pathPrefix: string, namePrefix: string): Document {
  const parameters = document['parameters'] as Document;
  const writeOut = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(writeOut);
    if (!isObject(value)) return value;
    const reference = value['$ref'];
    if (typeof reference === 'string' && reference.startsWith('#/parameters/'))
      return parameters[reference.slice('#/parameters/'.length)];
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, writeOut(child)]));
  };
  const pick = (key: string, prefix: string): unknown =>
    Object.fromEntries(Object.entries(document[key] as Document).filter(([name]) => name.startsWith(prefix)));
  return { paths: writeOut(pick('paths', pathPrefix)), definitions: pick('definitions', namePrefix) };
}

const ownV3 = await cluster.read<Document>(OWN_DOCUMENT);
const twinV3 = renamed(await cluster.read(TWIN_DOCUMENT));
const merged = await cluster.read<Document>('/openapi/v2');
const ownV2 = partOf(merged, '/apis/kamaji.io/', 'io.kamaji.v1alpha1.');
const twinV2 = renamed(partOf(merged, `/apis/${TWIN_GROUP}/`, 'io.kamaji.twin.v1alpha1.'));

describe.each([
  ['v2', ownV2, twinV2, differencesV2],
  ['v3', ownV3, twinV3, differencesV3],
] as const)('%s', (_version, ours, theirs, deliberate: readonly DeliberateDifference[]) => {
  const found = differences(ours, theirs);

  it('is what kube-apiserver publishes for a custom resource, but for what is meant to differ', () => {
    expect(JSON.stringify(theirs).length).toBeGreaterThan(100_000);
    expect(found.filter((place) => !deliberate.some(({ at }) => at.test(place)))).toEqual([]);
  });

  it.each(deliberate)('still differs: $reason', ({ at }) => {
    expect(found.some((place) => at.test(place))).toBe(true);
  });
});

it('lists take all parameters of the twin but shardSelector, and no others', () => {
  const names = (document: Document): readonly string[] => {
    const paths = document['paths'] as Readonly<Record<string, { get: { parameters: readonly { name: string }[] } }>>;
    return paths['/apis/kamaji.io/v1alpha1/datastores']!.get.parameters.map(({ name }) => name);
  };
  for (const [ours, theirs] of [
    [ownV2, twinV2],
    [ownV3, twinV3],
  ] as const)
    expect(names(ours)).toEqual(names(theirs).filter((name) => name !== 'shardSelector'));
});
