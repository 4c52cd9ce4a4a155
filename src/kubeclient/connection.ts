import { readFile } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';

/** PEM texts and a bearer token. An object is never changed: other credentials are another object. */
export interface Credentials {
  /** Authorities that may have signed the server's certificate; undefined: the system's. */
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
}

export interface CredentialSource {
  /** Asked before every request, hence cheap: the same object as long as nothing changed. */
  current(): Credentials | Promise<Credentials>;
  /** The server did not take them, or was not trusted: read again at the next request. */
  invalidate(): void;
}

/** How to reach one cluster. */
export interface Connection {
  /** `https://host:port`, with a path prefix if the server has one. */
  readonly server: string;
  /** Name in the server's certificate and in SNI, when it is not the host of `server`. */
  readonly serverName?: string | undefined;
  /** Takes any certificate. Never from a kubeconfig alone: see `allowInsecure` there. */
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly credentials: CredentialSource;
}

export function fixedCredentials(credentials: Credentials): CredentialSource {
  return { current: () => credentials, invalidate: () => undefined };
}

export interface CredentialFiles {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
}

/** How long files are trusted to be as they were read; client-go does the same with tokens (transport/token_source.go). */
const REREAD_AFTER_MS = 60_000;
/** Keeps a server that refuses us from making us read files at every request. */
const REREAD_AT_MOST_EVERY_MS = 1_000;

/**
 * Credentials of which some are files that somebody renews. When they cannot be read again the last ones stand, because a
 * volume that is being swapped is no reason to stop; only the first read throws.
 */
export function fileCredentials(files: CredentialFiles, fixed: Credentials, clock: Clock): CredentialSource {
  let known: Credentials | undefined;
  let readAtMs = 0;
  let stale = true;
  let reading: Promise<Credentials> | undefined;

  async function read(): Promise<Credentials> {
    try {
      const [ca, certificate, key, token] = await Promise.all([
        readOptional(files.ca),
        readOptional(files.certificate),
        readOptional(files.key),
        readOptional(files.token),
      ]);
      const next: Credentials = {
        ca: ca ?? fixed.ca,
        certificate: certificate ?? fixed.certificate,
        key: key ?? fixed.key,
        token: token?.trim() ?? fixed.token,
      };
      if (!known || !sameCredentials(known, next)) known = next;
    } catch (error) {
      if (!known) throw error;
    } finally {
      readAtMs = clock.monotonic();
      stale = false;
      reading = undefined;
    }
    return known;
  }

  return {
    current() {
      const ageMs = clock.monotonic() - readAtMs;
      if (known && (stale ? ageMs < REREAD_AT_MOST_EVERY_MS : ageMs < REREAD_AFTER_MS)) return known;
      reading ??= read();
      return reading;
    },
    invalidate() {
      stale = true;
    },
  };
}

async function readOptional(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : readFile(path, 'utf8');
}

function sameCredentials(a: Credentials, b: Credentials): boolean {
  return a.ca === b.ca && a.certificate === b.certificate && a.key === b.key && a.token === b.token;
}
