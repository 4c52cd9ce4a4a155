/** Every code that people may meet is explained in docs/errors.md, and nothing is explained that no longer exists. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readSource, sourceRoot } from './source.ts';

const documentation = readFileSync(fileURLToPath(new URL('../../docs/errors.md', import.meta.url)), 'utf8');

/** Types whose members are codes, and the chapter of docs/errors.md that tells about them. */
const UNIONS = [
  { file: 'tenancy/provisioning/datastore/data-store-error.ts', type: 'DataStoreErrorCode', chapter: 'DataStores' },
  { file: 'tenancy/provisioning/provisioning-error.ts', type: 'ProvisioningErrorCode', chapter: 'Tenants' },
  { file: 'pki/pki-error.ts', type: 'PkiErrorCode', chapter: 'Keys and certificates' },
  { file: 'apiserver/storage/storage.ts', type: 'StorageFailure', chapter: 'The store of our own objects' },
] as const;

/** Where reasons of conditions and Events are written as literals. */
const REASON_FOLDERS = ['tenancy/controllers/', 'tenancy/provisioning/', 'reconcile/'] as const;
/** A component's own verdict on its Deployment: no status shows it, the tenant's judges the Deployment itself. */
const NOT_SHOWN: ReadonlySet<string> = new Set(['tenancy/provisioning/admin-cluster/deployment-readiness.ts']);

const sources = readSource(sourceRoot).filter((file) => !file.isTest && !file.path.endsWith('conformance.ts'));

function membersOf(file: string, type: string): readonly string[] {
  const text = sources.find(({ path }) => path === file)?.text ?? '';
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
  const declaration = new RegExp(`export type ${type} =([^;]*);`).exec(code)?.[1] ?? '';
  return [...declaration.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? '');
}

/** Literals in the place of a reason: `reason: 'X'`, `reason ?? 'X'`, and what `Waiting` and `TerminalError` are made with. */
function reasonsIn(text: string): readonly string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const places = [
    ...code.matchAll(/\breason\b[^\n']*(?:'[^'\n]*'[^\n']*)*/g),
    ...code.matchAll(/new Waiting\(\s*'\w+',\s*'\w+'/g),
    ...code.matchAll(/new TerminalError\(\s*'\w+'/g),
  ].map((match) => match[0].replace(/^new Waiting\(\s*'\w+',/, ''));
  return places.flatMap((place) => [...place.matchAll(/'([A-Z][a-z]\w*)'/g)].map((match) => match[1] ?? ''));
}

/** Statuses of conditions and types of Events stand beside reasons in the sources; `Applied` is a component's verdict, too. */
const NO_REASONS: ReadonlySet<string> = new Set(['True', 'False', 'Unknown', 'Normal', 'Warning', 'Applied']);

const unionCodes = UNIONS.flatMap(({ file, type, chapter }) =>
  membersOf(file, type).map((code) => ({ code, chapter })),
);
const reasons = [
  ...new Set(
    sources
      .filter(({ path }) => !NOT_SHOWN.has(path) && REASON_FOLDERS.some((folder) => path.startsWith(folder)))
      .flatMap(({ text }) => reasonsIn(text)),
  ),
].filter((reason) => !NO_REASONS.has(reason));

/** Codes in the first column of the tables of a chapter. */
function documentedIn(chapter: string): readonly string[] {
  const [, text = ''] = documentation.split(new RegExp(`^## ${chapter}$`, 'm'));
  const [body = ''] = text.split(/^## /m);
  return [...body.matchAll(/^\| ((?:`[\w-]+`(?:, )?)+) \|/gm)].flatMap((row) =>
    [...(row[1] ?? '').matchAll(/`([\w-]+)`/g)].map((match) => match[1] ?? ''),
  );
}

const chapters = [...documentation.matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? '');
const documented = new Set(chapters.flatMap(documentedIn));

test('the sources are read as they are written', () => {
  for (const { file, type } of UNIONS) expect([type, membersOf(file, type).length > 3]).toEqual([type, true]);
  expect(reasons).toEqual(expect.arrayContaining(['TenantUnreachable', 'DataStoreNotFound', 'WaitingForLoadBalancer']));
});

test.each(unionCodes)('$code is in the chapter $chapter', ({ code, chapter }) => {
  expect(documentedIn(chapter)).toContain(code);
});

test.each(reasons)('the reason %s is explained', (reason) => {
  expect([...documented]).toContain(reason);
});

test('no code is explained that is gone', () => {
  const known = new Set([...unionCodes.map(({ code }) => code), ...reasons]);
  const elsewhere = sources.map(({ text }) => text).join('\n');
  // Reasons of the wire (`Conflict`) and those that come out of other places are looked for as plain literals.
  expect([...documented].filter((code) => !known.has(code) && !elsewhere.includes(`'${code}'`))).toEqual([]);
});
