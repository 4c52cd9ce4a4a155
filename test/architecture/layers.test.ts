import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exceptions, forbiddenNames, maxLines, rooms, tables } from './layers.ts';
import {
  importsOf,
  importViolations,
  readSource,
  resolveImport,
  roomOf,
  sourceRoot,
  type SourceFile,
} from './source.ts';

const files = readSource();
const product = files.filter((file) => !file.isTest && !file.isGenerated);

const fileOf = (at: string, text: string): SourceFile => ({
  path: at,
  text,
  isTest: at.endsWith('.test.ts'),
  isGenerated: false,
});

describe('the layers', () => {
  it('are many files, so that a reader which finds none is noticed', () => {
    expect(product.length).toBeGreaterThan(100);
    expect(product.flatMap((file) => importsOf(file.text)).length).toBeGreaterThan(500);
  });

  it('import downward only', () => {
    const found = files
      .flatMap(importViolations)
      .filter(({ file, why }) => !exceptions.some(({ from, to }) => file === from && why.includes(to)));
    expect(found).toEqual([]);
  });

  it('have no exception that nothing needs', () => {
    const found = files.flatMap(importViolations);
    expect(
      exceptions.filter(({ from, to }) => !found.some(({ file, why }) => file === from && why.includes(to))),
    ).toEqual([]);
  });

  it('have no circle in the table', () => {
    const reach = (from: string, seen = new Set<string>()): Set<string> => {
      for (const to of rooms.find((room) => room.path === from)?.mayImport ?? []) {
        if (!seen.has(to)) reach(to, seen.add(to));
      }
      return seen;
    };
    expect(rooms.filter((room) => reach(room.path).has(room.path)).map((room) => room.path)).toEqual([]);
    expect(rooms.flatMap((room) => room.mayImport).filter((name) => !rooms.some((room) => room.path === name))).toEqual(
      [],
    );
  });

  it.each<[string, string, string]>([
    ['base/x.ts', 'base may not import apimachinery', `import type { A } from '../apimachinery/object.ts';`],
    ['base/x.ts', 'the package yaml', `import { parse } from 'yaml';`],
    ['apimachinery/x.ts', 'the package node:fs/promises', `import { readFile } from 'node:fs/promises';`],
    ['pki/x.ts', 'pki may not import kubeclient', `import { a } from '../kubeclient/client.ts';`],
    ['apiserver/a/x.ts', 'apiserver may not import reconcile', `export { a } from '../../reconcile/component.ts';`],
    ['reconcile/x.ts', 'reconcile may not import apiserver', `const a = await import('../apiserver/server.ts');`],
    [
      'apiserver/x.ts',
      'apiserver may not import tenancy/api',
      `import {\n  a,\n  b,\n} from '../tenancy/api/group.ts';`,
    ],
    [
      'tenancy/controllers/x.ts',
      'tenancy/controllers may not import tenancy/resources',
      `import { a } from '../resources/all.ts';`,
    ],
    [
      'tenancy/provisioning/x.ts',
      'tenancy/provisioning may not import tenancy/controllers',
      `import * as a from '../controllers/all.ts';`,
    ],
    [
      'tenancy/provisioning/x.ts',
      'tenancy/provisioning may not import tenancy/resources',
      `import '../resources/all.ts';`,
    ],
    ['tenancy/x.ts', 'is in no room', ''],
    ['base/x.ts', 'outside of src', `import { a } from '../../test/env/run.ts';`],
  ])('would find in %s: %s', (at, why, text) => {
    expect(
      importViolations(fileOf(at, text))
        .map((violation) => violation.why)
        .join(),
    ).toContain(why);
  });

  it('reads imports as they are written', () => {
    const text = `
      // import { no } from './comment.ts';
      /* import './block.ts'; */
      import { a } from './a.ts';
      import type { B } from './b.ts';
      import c, { type D } from './c.ts';
      export * from './d.ts';
      import './e.ts';
      const f = () => import('./f.ts');
      const text = 'imported from somewhere';
    `;
    expect(importsOf(text)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts']);
    expect(resolveImport('a/b/c.ts', '../d.ts')).toBe('a/d.ts');
    expect(roomOf('tenancy/api/x/y.ts')?.path).toBe('tenancy/api');
  });
});

describe('the files', () => {
  it('are in no folder, and have no name, that says nothing', () => {
    const named = (file: string): boolean =>
      file.split('/').some((part) => forbiddenNames.includes(part.replace(/(\.test)?\.ts$/, '')));
    expect(files.map((file) => file.path).filter(named)).toEqual([]);
  });

  it('are named in kebab-case', () => {
    expect(
      files
        .map((file) => file.path)
        .filter((file) => !/^(?:[a-z0-9-]+\/)*[a-z0-9-]+(?:\.test|\.generated)?\.ts$/.test(file)),
    ).toEqual([]);
  });

  it(`have at most ${maxLines} lines`, () => {
    const long = files.filter((file) => !file.isGenerated && file.text.split('\n').length > maxLines);
    expect(long.map((file) => file.path)).toEqual([]);
  });

  it('have no default export, and no barrels', () => {
    expect(product.filter((file) => /^export default\b/m.test(file.text)).map((file) => file.path)).toEqual([]);
    expect(
      product
        .filter((file) => /(?:^|\/)index\.ts$/.test(file.path) || /^export \* from/m.test(file.text))
        .map((file) => file.path),
    ).toEqual([]);
  });

  it('of apimachinery know neither the time, nor chance, nor the process', () => {
    const impure =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bcrypto\b|\bprocess\.|\bperformance\.|\bsetTimeout\(|\bfetch\(/;
    const found = product.filter((file) => file.path.startsWith('apimachinery/') && impure.test(file.text));
    expect(found.map((file) => file.path)).toEqual([]);
  });

  it('below the commands write no log of their own and end no process', () => {
    const direct = /\bconsole\.(?:log|error|warn|info|debug)\(|\bprocess\.exit\(/;
    const found = product.filter((file) => !/^(?:cli\/|main\.ts)/.test(file.path) && direct.test(file.text));
    expect(found.map((file) => file.path)).toEqual([]);
  });
});

describe('the tables', () => {
  const entries = ({ folder, names, except = [] }: (typeof tables)[number]): readonly string[] => {
    const here = readdirSync(path.join(sourceRoot, folder), { withFileTypes: true });
    if (names === 'folders')
      return here
        .filter((entry) => entry.isDirectory() && !except.includes(entry.name))
        .map((entry) => `${entry.name}/`);
    return here
      .filter(
        (entry) =>
          entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') && entry.name !== 'all.ts',
      )
      .map((entry) => entry.name)
      .filter((name) => !except.includes(name))
      .filter(
        (name) =>
          names === 'plugins' || /^export (?:const|function) [^=]*\bComponent</m.test(textOf(`${folder}/${name}`)),
      );
  };
  const textOf = (file: string): string => files.find((each) => each.path === file)?.text ?? '';

  it.each(tables)('$file names everything of $folder', (table) => {
    expect(existsSync(path.join(sourceRoot, table.file))).toBe(true);
    const expected = entries(table);
    expect(expected.length).toBeGreaterThan(0);
    const named = importsOf(textOf(table.file))
      .map((specifier) => resolveImport(table.file, specifier) ?? '')
      .map((target) => path.posix.relative(table.folder, target));
    expect(expected.filter((entry) => !named.some((target) => target === entry || target.startsWith(entry)))).toEqual(
      [],
    );
  });
});
