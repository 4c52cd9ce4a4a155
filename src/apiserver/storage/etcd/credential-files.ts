import { readFile } from 'node:fs/promises';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { EtcdCredentials } from '../../../etcdclient/client.ts';
import { StorageFailedError } from '../storage.ts';

export interface CredentialFiles {
  /** PEM of the authorities that etcd's certificate must be signed by; absent: those that Node trusts. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly username?: string | undefined;
  /** Holds the password alone; a newline at its end is none of it. */
  readonly passwordFile?: string | undefined;
}

/** @throws StorageFailedError naming the file that cannot be read, never what is in it */
export async function readCredentials(files: CredentialFiles): Promise<EtcdCredentials> {
  const [ca, certificate, key, password] = await Promise.all(
    [files.caFile, files.certFile, files.keyFile, files.passwordFile].map(readText),
  );
  return {
    tls: { ca, certificate, key },
    ...(files.username !== undefined && {
      user: { name: files.username, password: (password ?? '').replace(/\r?\n$/, '') },
    }),
  };
}

async function readText(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new StorageFailedError('unavailable', `${path}: cannot be read (${code})`);
  }
}

/**
 * Looks at the files again and again until `signal` aborts, and tells of each change. What cannot be read or used is logged, and what was
 * good stays in use: files are often replaced one after the other.
 */
export async function watchCredentials(
  files: CredentialFiles,
  current: EtcdCredentials,
  options: {
    readonly clock: Clock;
    readonly log: Logger;
    readonly checkMs: number;
    /** @throws Error for PEM that cannot be used */
    readonly onChange: (credentials: EtcdCredentials) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, checkMs, onChange } = options;
  let used = JSON.stringify(current);
  while (!signal.aborted) {
    await clock.sleep(checkMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const next = await readCredentials(files);
      const text = JSON.stringify(next);
      if (text === used) continue;
      onChange(next);
      used = text;
      log.info('the credentials for etcd have changed');
    } catch (error) {
      // OpenSSL's text may quote what it could not read.
      const reason = error instanceof StorageFailedError ? error.message : 'the certificates and the key do not fit';
      log.warn('the credentials for etcd cannot be read: the old ones stay in use', { reason });
    }
  }
}
