/** Requests made from our own OpenAPI document by schemathesis, with a fixed seed and within a fixed time. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { OWN_PORT } from '../env/raw-api.ts';
import { run, runOk } from '../env/run.ts';
import { fault } from './answers.ts';
import { NAMESPACE } from './hostile.ts';
import { openWorld } from './world.ts';

const SEED = 4711;
const SECONDS = 50;

interface Recorded {
  readonly request: { readonly method: string; readonly uri: string; readonly body?: { readonly $base64: string } };
  readonly response?: {
    readonly status_code: number;
    readonly headers: Readonly<Record<string, readonly string[]>>;
    readonly content?: { readonly $base64: string };
    readonly elapsed?: number;
  };
}

interface Scenario {
  readonly recorder: { readonly label: string; readonly interactions?: Readonly<Record<string, Recorded>> };
}

interface Parameter {
  readonly name: string;
  readonly schema: object;
}
/** The operations of a path by method, and what they share. */
type PathItem = Readonly<Record<string, unknown>>;
type Schema = Record<string, unknown> & { properties?: Record<string, object>; required?: readonly string[] };
interface Document {
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

const world = await openWorld();
const folder = await mkdtemp(join(tmpdir(), 'kamaji-fuzz-'));
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await world.close();
});

const published = await world.own.read<Document>('/openapi/v3/apis/kamaji.io/v1alpha1');
const methods = ['get', 'put', 'post', 'delete', 'patch'];

/** Nobody waits for a watch to end. */
function withoutWatch(document: Document): Document {
  const cut = (part: unknown): unknown => {
    const { parameters, ...rest } = part as { readonly parameters?: readonly Parameter[] };
    return parameters === undefined ? rest : { ...rest, parameters: parameters.filter(({ name }) => name !== 'watch') };
  };
  const paths = Object.entries(document.paths).map(([path, item]) => {
    const operations = Object.entries(item).map(([key, part]) => [key, methods.includes(key) ? cut(part) : part]);
    return [path, cut(Object.fromEntries(operations))];
  });
  return { ...document, paths: Object.fromEntries(paths) as Document['paths'] };
}

/** Values that the schema leaves open and without which no request gets past the door: names, kinds, options. */
const known: Readonly<Record<string, readonly string[]>> = {
  name: ['fuzz', 'kept', 'new'],
  namespace: [NAMESPACE],
  dryRun: ['All'],
  fieldValidation: ['Strict', 'Warn', 'Ignore'],
  fieldManager: ['fuzz'],
  timeout: ['5s'],
};

function narrowed(document: Document): Document {
  const text = JSON.stringify(withoutWatch(document), (_key, value: unknown) => {
    const parameter = value as { readonly name?: unknown; readonly in?: unknown; readonly schema?: object } | null;
    const choices =
      typeof parameter?.name === 'string' && parameter.in !== undefined ? known[parameter.name] : undefined;
    return choices === undefined ? value : { ...parameter, schema: { type: 'string', enum: choices } };
  });
  const copy = JSON.parse(text) as Document;
  for (const [name, schema] of Object.entries(copy.components.schemas)) {
    const kinds = schema['x-kubernetes-group-version-kind'] as
      readonly { readonly group: string; readonly version: string; readonly kind: string }[] | undefined;
    const kind = kinds?.at(-1);
    if (kind === undefined || schema.properties === undefined || name.endsWith('Status')) continue;
    const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
    schema.properties['apiVersion'] = { type: 'string', enum: [apiVersion] };
    schema.properties['kind'] = { type: 'string', enum: [kind.kind] };
    schema.required = [...new Set([...(schema.required ?? []), 'apiVersion', 'kind'])];
  }
  return copy;
}

const environment = (await runOk('hack/python-venv', ['test/fuzz/requirements.txt'])).trim();
await writeFile(join(folder, 'cert.pem'), world.credentials.cert);
await writeFile(join(folder, 'key.pem'), world.credentials.key, { mode: 0o600 });

async function fuzz(
  name: string,
  document: Document,
): Promise<{ readonly output: string; readonly events: readonly object[] }> {
  const file = join(folder, `${name}.json`);
  const report = join(folder, `${name}.ndjson`);
  await writeFile(file, JSON.stringify(document));
  const url = `https://${OWN_PORT.host}:${OWN_PORT.port}`;
  const options = [
    `--url=${url}`,
    `--request-cert=${join(folder, 'cert.pem')}`,
    `--request-cert-key=${join(folder, 'key.pem')}`,
    '--tls-verify=false',
    // The answers are judged below; here only what schemathesis alone can see.
    '--checks=not_a_server_error',
    `--seed=${SEED}`,
    `--max-time=${SECONDS}`,
    '--workers=1',
    '--max-response-time=5',
    '--request-timeout=10',
    '--phases=examples,coverage,fuzzing',
    '--continue-on-failure',
    '--no-shrink',
    '--warnings=off',
    '--report=ndjson',
    `--report-ndjson-path=${report}`,
    '--no-color',
  ];
  // It keeps a database of examples in its working folder.
  const { stdout, stderr } = await run(
    'sh',
    ['-c', 'cd "$0" && exec "$@"', folder, join(environment, 'bin', 'schemathesis'), 'run', file, ...options],
    { timeoutMs: (SECONDS + 120) * 1_000 },
  );
  const events: object[] = [];
  for await (const line of createInterface({ input: createReadStream(report) }))
    events.push(JSON.parse(line) as object);
  return { output: `${stdout}\n${stderr}`, events };
}

const operations = Object.entries(published.paths)
  .flatMap(([path, item]) =>
    methods.filter((method) => item[method] !== undefined).map((method) => `${method.toUpperCase()} ${path}`),
  )
  .toSorted();

for (const [name, document] of [
  ['as it is published', withoutWatch(published)],
  ['narrowed to what gets past the door', narrowed(published)],
] as const) {
  const { output, events } = await fuzz(name.split(' ', 1)[0]!, document);
  const scenarios = events.flatMap((event) =>
    'ScenarioFinished' in event ? [event.ScenarioFinished as Scenario] : [],
  );
  const byOperation = new Map<string, Recorded[]>();
  for (const { recorder } of scenarios) {
    const recorded = Object.values(recorder.interactions ?? {});
    byOperation.set(recorder.label, [...(byOperation.get(recorder.label) ?? []), ...recorded]);
  }

  describe(`our document ${name}`, () => {
    it('lasts its time, and nothing hangs', () => {
      expect(
        events.some((event) => 'EngineFinished' in event),
        output.slice(-3_000),
      ).toBe(true);
      const errors = events.flatMap((event) => ('NonFatalError' in event ? [event.NonFatalError] : []));
      expect(errors).toEqual([]);
      const total = [...byOperation.values()].reduce((sum, recorded) => sum + recorded.length, 0);
      expect(total).toBeGreaterThan(1_000);
    });

    it.each(operations)('%s', (label) => {
      const recorded = byOperation.get(label) ?? [];
      expect(recorded.length).toBeGreaterThan(0);
      for (const { request, response } of recorded) {
        const body = Buffer.from(response?.content?.$base64 ?? '', 'base64');
        const headers = new Map(
          Object.entries(response?.headers ?? {}).map(([key, values]) => [key, values.at(-1) ?? '']),
        );
        // The client has unpacked it.
        headers.delete('content-encoding');
        const wrong =
          response === undefined ? 'no answer' : fault(request.method, { code: response.status_code, headers, body });
        const sent = Buffer.from(request.body?.$base64 ?? '', 'base64')
          .toString('utf8')
          .slice(0, 500);
        expect(wrong, `${request.method} ${request.uri.slice(0, 500)} ${sent}`).toBe(undefined);
      }
    });
  });
}

describe('afterwards', () => {
  it('everything that is stored can be read', async () => {
    expect(await world.readAll()).toBeGreaterThanOrEqual(4);
  });

  it('the memory is bounded', async () => {
    expect(await world.residentMib()).toBeLessThan(600);
  });
});
