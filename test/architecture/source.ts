import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rooms, type Room } from './layers.ts';

export const sourceRoot: string = fileURLToPath(new URL('../../src/', import.meta.url));

export interface SourceFile {
  /** Below src, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly isTest: boolean;
  readonly isGenerated: boolean;
}

export function readSource(root: string = sourceRoot): readonly SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return {
        path: path.relative(root, file).split(path.sep).join('/'),
        text: readFileSync(file, 'utf8'),
        isTest: entry.name.endsWith('.test.ts'),
        isGenerated: entry.name.endsWith('.generated.ts'),
      };
    });
}

const SPECIFIER =
  /(?:^|[\s;}])(?:import|export)\s+(?:type\s+)?(?:[\w$*{][^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

/** Everything that a file imports or exports from, types included. */
export function importsOf(text: string): readonly string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(SPECIFIER)].map((match) => match[1] ?? match[2] ?? '');
}

/** The file of src that a relative import means, undefined for one outside of src. */
export function resolveImport(from: string, specifier: string): string | undefined {
  const target = path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier));
  return target.startsWith('../') ? undefined : target;
}

export function roomOf(file: string, table: readonly Room[] = rooms): Room | undefined {
  return table
    .filter((room) => file === room.path || file.startsWith(`${room.path}/`))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
}

export interface Violation {
  readonly file: string;
  readonly why: string;
}

/** What a file imports that its room may not. */
export function importViolations(file: SourceFile): readonly Violation[] {
  const room = roomOf(file.path);
  if (!room) return [{ file: file.path, why: 'is in no room: see test/architecture/layers.ts' }];
  return importsOf(file.text).flatMap((specifier): Violation[] => {
    if (!specifier.startsWith('.')) return packageViolations(file, room, specifier);
    const target = resolveImport(file.path, specifier);
    if (target === undefined)
      return file.isTest ? [] : [{ file: file.path, why: `imports ${specifier}, outside of src` }];
    const other = roomOf(target);
    if (other && (other === room || room.mayImport.includes(other.path))) return [];
    return [
      { file: file.path, why: `imports ${target}: ${room.path} may not import ${other?.path ?? 'what is in no room'}` },
    ];
  });
}

function packageViolations(file: SourceFile, room: Room, specifier: string): Violation[] {
  if (file.isTest || room.packages === undefined) return [];
  const allowed = room.packages.some((name) =>
    name === 'node:' ? specifier.startsWith(name) : specifier === name || specifier.startsWith(`${name}/`),
  );
  return allowed ? [] : [{ file: file.path, why: `imports the package ${specifier}: ${room.path} may not` }];
}
