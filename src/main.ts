import { parseArgs } from 'node:util';
import { BACKUP_OPTIONS, BACKUP_USAGE, RESTORE_OPTIONS, backup, restore } from './cli/backup.ts';
import { SERVE_OPTIONS, SERVE_USAGE } from './cli/serve-flags.ts';
import { UsageError } from './cli/usage-error.ts';

const USAGE = `usage: kamaji COMMAND [FLAGS]

commands:
  serve     run the API server and its controllers
  backup    copy the store, also while it is in use
  restore   put a copy in the place of the store
  version   print the version

${SERVE_USAGE}
${BACKUP_USAGE}`;

/** Answers the exit code: 0 fine, 1 failed, 2 called the wrong way. */
async function main(argv: readonly string[]): Promise<number> {
  const [command = '', ...rest] = argv;
  if (command === '--help' || command === '-h' || command === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if (command === 'version') {
    const { productVersion } = await import('./cli/product-version.ts');
    process.stdout.write(`${await productVersion()}\n`);
    return 0;
  }
  if (command === 'backup') return backup(readFlags(rest, BACKUP_OPTIONS));
  if (command === 'restore') return restore(readFlags(rest, RESTORE_OPTIONS));
  if (command !== 'serve') throw new UsageError(command === '' ? 'a command is missing' : `unknown command ${command}`);
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(SERVE_USAGE);
    return 0;
  }
  // Only now: the program is large, and a usage error should not wait for it.
  const { serve } = await import('./cli/serve.ts');
  return serve(readFlags(rest, SERVE_OPTIONS));
}

function readFlags(
  argv: readonly string[],
  options: Readonly<Record<string, { readonly type: 'string' }>>,
): Readonly<Record<string, string | undefined>> {
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`error: ${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  } else {
    process.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
}
