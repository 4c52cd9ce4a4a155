/** Keys that are special to JavaScript, in every form in which a body may come: they are keys like others, and touch nothing else. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestServer, type TestObject } from './testing/test-server.ts';
import { gadgetDefinition, widgetDefinition } from './testing/widget.ts';

const widgets = '/apis/own.example.com/v1/namespaces/default/widgets';
const head = '"apiVersion":"own.example.com/v1","kind":"Widget"';
const evil =
  '"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}},"prototype":{"polluted":"yes"},"hasOwnProperty":"no","toString":1';
const yamlEvil = `__proto__: { polluted: "yes" }
constructor: { prototype: { polluted: "yes" } }
`;

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.open({ definitions: [widgetDefinition, gadgetDefinition] });
  await send('POST', widgets, 'application/json', `{${head},"metadata":{"name":"a"},"spec":{"size":1,"free":{}}}`);
});
afterEach(() => server.close());

async function send(
  method: string,
  path: string,
  type: string,
  body: string,
): Promise<{ code: number; body: TestObject }> {
  return server.call(method, path, { body, headers: { 'content-type': type } });
}

/** What a polluted prototype would show in anything made afterwards. */
async function expectNothingTouched(): Promise<void> {
  expect(({} as TestObject).polluted).toBeUndefined();
  expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
  const fresh = await send(
    'POST',
    `${widgets}?dryRun=All`,
    'application/json',
    `{${head},"metadata":{"name":"fresh"},"spec":{"size":1}}`,
  );
  expect(fresh.code).toBe(201);
  expect(fresh.body.spec).toEqual({ size: 1, color: 'red', replicas: 1 });
  const { text } = await server.call('GET', widgets, {});
  expect(text).toContain('"items":[');
}

const json = 'application/json';
const yaml = 'application/yaml';
const merge = 'application/merge-patch+json';
const apply = 'application/apply-patch+yaml';
const jsonPatch = 'application/json-patch+json';
const manager = `${widgets}/a?fieldManager=x`;
const current = `${head},"metadata":{"name":"a","resourceVersion":"RV"}`;

/** Where an unknown field is pruned. */
const pruned: readonly (readonly [string, string, string, string, string])[] = [
  ['a create', 'POST', widgets, json, `{${head},${evil},"metadata":{"name":"b"},"spec":{"size":1,${evil}}}`],
  [
    'a create in YAML',
    'POST',
    widgets,
    yaml,
    `${yamlEvil}apiVersion: own.example.com/v1\nkind: Widget\nmetadata: { name: b }\nspec: { size: 1, __proto__: { polluted: "yes" } }\n`,
  ],
  [
    'a create in YAML that merges',
    'POST',
    widgets,
    yaml,
    `x: &x { __proto__: { polluted: "yes" } }\n<<: *x\napiVersion: own.example.com/v1\nkind: Widget\nmetadata: { name: b }\nspec: { size: 1 }\n`,
  ],
  ['an update', 'PUT', `${widgets}/a`, json, `{${current},${evil},"spec":{"size":2,${evil}}}`],
  ['an update of the status', 'PUT', `${widgets}/a/status`, json, `{${current},"spec":{"size":1},"status":{${evil}}}`],
  ['a merge patch', 'PATCH', `${widgets}/a`, merge, `{${evil},"spec":{${evil}}}`],
  ['a merge patch of the status', 'PATCH', `${widgets}/a/status`, merge, `{"status":{${evil}}}`],
  ['a merge patch that removes', 'PATCH', `${widgets}/a`, merge, `{"spec":{"__proto__":null,"constructor":null}}`],
  ['the metadata of a merge patch', 'PATCH', `${widgets}/a`, merge, `{"metadata":{${evil}}}`],
  [
    'a value of a JSON patch',
    'PATCH',
    `${widgets}/a`,
    jsonPatch,
    `[{"op":"add","path":"/spec","value":{"size":3,${evil}}}]`,
  ],
];

describe('where the schema knows no such field, it is left out', () => {
  test.each(pruned)('%s', async (_what, method, path, type, text) => {
    const { body: before } = await server.call('GET', `${widgets}/a`, {});
    const answer = await send(method, path, type, text.replace('RV', before.metadata.resourceVersion));
    expect(answer.code, JSON.stringify(answer.body)).toBeLessThan(300);
    expect(JSON.stringify(answer.body)).not.toContain('polluted');
    const { text: list } = await server.call('GET', widgets, {});
    expect(list).not.toContain('polluted');
    await expectNothingTouched();
  });
});

describe('an apply of a field that is not known is refused, as kube-apiserver does', () => {
  test.each([
    ['at the top', `{${head},${evil},"metadata":{"name":"a"}}`],
    ['in the spec', `{${head},"metadata":{"name":"a"},"spec":{${evil}}}`],
    [
      'in YAML',
      `apiVersion: own.example.com/v1\nkind: Widget\nmetadata: { name: a }\nspec:\n  __proto__: { polluted: "yes" }\n`,
    ],
  ])('%s', async (_what, text) => {
    const answer = await send('PATCH', manager, apply, text);
    expect(answer.code, JSON.stringify(answer.body)).toBeGreaterThanOrEqual(400);
    expect(answer.body.kind).toBe('Status');
    expect((await server.call('GET', `${widgets}/a`, {})).body.spec).toEqual({
      size: 1,
      color: 'red',
      replicas: 1,
      free: {},
    });
    await expectNothingTouched();
  });
});

describe('where anything may be, the keys are kept as data', () => {
  const free = `{${evil}}`;
  const kept: readonly (readonly [string, string, string, string, string])[] = [
    ['a create', 'POST', widgets, json, `{${head},"metadata":{"name":"b"},"spec":{"size":1,"free":${free}}}`],
    ['an update', 'PUT', `${widgets}/a`, json, `{${current},"spec":{"size":1,"free":${free}}}`],
    ['a merge patch', 'PATCH', `${widgets}/a`, merge, `{"spec":{"free":${free}}}`],
    ['an apply', 'PATCH', manager, apply, `{${head},"metadata":{"name":"a"},"spec":{"free":${free}}}`],
    ['a JSON patch', 'PATCH', `${widgets}/a`, jsonPatch, `[{"op":"add","path":"/spec/free","value":${free}}]`],
    [
      'a JSON patch by path',
      'PATCH',
      `${widgets}/a`,
      jsonPatch,
      `[{"op":"add","path":"/spec/free/__proto__","value":{"polluted":"yes"}},
        {"op":"add","path":"/spec/free/constructor","value":{"prototype":{}}},
        {"op":"add","path":"/spec/free/constructor/prototype/polluted","value":"yes"},
        {"op":"copy","from":"/spec/free/__proto__","path":"/spec/free/prototype"},
        {"op":"add","path":"/spec/free/hasOwnProperty","value":"no"},
        {"op":"add","path":"/spec/free/toString","value":1},
        {"op":"test","path":"/spec/free/__proto__/polluted","value":"yes"}]`,
    ],
  ];

  test.each(kept)('%s', async (_what, method, path, type, text) => {
    const { body: before } = await server.call('GET', `${widgets}/a`, {});
    const answer = await send(method, path, type, text.replace('RV', before.metadata.resourceVersion));
    expect(answer.code, JSON.stringify(answer.body)).toBeLessThan(300);
    const { text: stored } = await server.call('GET', `${widgets}/${answer.body.metadata.name}`, {});
    const found = /"free":(\{.*?"toString":1\})/.exec(stored)?.[1] ?? stored;
    expect(sorted(found)).toEqual(sorted(free));
    await expectNothingTouched();
  });
});

test.each([
  ['add', '/__proto__/polluted'],
  ['add', '/constructor/prototype/polluted'],
  ['add', '/spec/__proto__/polluted'],
  ['add', '/metadata/labels/__proto__/polluted'],
  ['replace', '/spec/constructor/name'],
  ['remove', '/spec/toString'],
  ['test', '/spec/constructor'],
])('a JSON patch finds nothing inherited: %s %s', async (op, path) => {
  const answer = await send('PATCH', `${widgets}/a`, jsonPatch, JSON.stringify([{ op, path, value: 'yes' }]));
  expect(answer.code, JSON.stringify(answer.body)).toBe(422);
  await expectNothingTouched();
});

test.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf'])(
  'as a name of anything, %s is one like others',
  async (name) => {
    const { code } = await server.call('GET', `${widgets}/${name}`, {});
    expect(code).toBe(404);
    for (const path of [
      `/apis/${name}`,
      `/apis/own.example.com/${name}`,
      `/apis/own.example.com/v1/${name}`,
      `/${name}`,
    ]) {
      expect((await server.call('GET', path, {})).code).toBe(404);
    }
    const options = `${name}=x&${name}[polluted]=yes&labelSelector=${name}%3Dyes`;
    const selected = await server.call('GET', `${widgets}?${options}`, {});
    // A key of a label begins with a letter or digit.
    if (name === '__proto__') expect(selected.code).toBe(400);
    else expect(selected.body.items).toEqual([]);
    const labels = `{"metadata":{"labels":{"constructor":"b","toString":"c"},"annotations":{"hasOwnProperty":"d","valueOf":"e"}}}`;
    const { body } = await send('PATCH', `${widgets}/a`, merge, labels);
    expect(Object.entries(body.metadata.labels)).toEqual([
      ['constructor', 'b'],
      ['toString', 'c'],
    ]);
    await expectNothingTouched();
  },
);

/** Keys of an object in the order of the alphabet, by text: objects with a key `__proto__` cannot be compared otherwise. */
function sorted(text: string): readonly string[] {
  return [...text.matchAll(/"[^"]*"|\d+/g)].map(([token]) => token).sort();
}
