import { newUnauthorized } from '../../apimachinery/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { UserInfo } from '../registry/definition.ts';
import type { Authenticator } from './authenticator.ts';
import { verifyClientCertificate, type TrustBundle } from './client-certificate-verifier.ts';
import { selectHeaders, type HeaderPair } from './raw-headers.ts';
import { withAuthenticatedGroup } from './user.ts';

/** How the front proxy speaks. Header names and prefixes in lower case, in the order in which they are looked at. */
export interface RequestHeaderConfig {
  readonly trust: TrustBundle;
  /** Common names of the proxy's certificate; empty: any that the authorities signed. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

/**
 * Believes the identity headers of the front proxy, and of nobody else: only on a connection whose client certificate leads to the
 * front proxy's own authorities. From anybody else they are as if not there.
 * k8s.io/apiserver/pkg/authentication/request/headerrequest/requestheader.go
 */
export function createRequestHeaderAuthenticator(
  config: () => RequestHeaderConfig | undefined,
  clock: Clock,
): Authenticator {
  return {
    authenticate: async ({ rawHeaders, peerCertificate }) => {
      const settings = config();
      if (settings === undefined || peerCertificate === undefined) return undefined;
      const verdict = verifyClientCertificate(peerCertificate, settings.trust, clock.now());
      if (!verdict.trusted) return undefined;
      if (settings.allowedNames.length > 0 && !settings.allowedNames.includes(verdict.facts.commonName))
        return undefined;
      const user = readIdentity(rawHeaders, settings);
      return user && { user: withAuthenticatedGroup(user) };
    },
  };
}

/** @throws StatusError (401) for headers that no proxy sends: several users, bytes that are no text */
function readIdentity(rawHeaders: readonly string[], config: RequestHeaderConfig): UserInfo | undefined {
  const { usernameHeaders, uidHeaders, groupHeaders, extraHeaderPrefixes } = config;
  const prefixOf = (name: string) => extraHeaderPrefixes.find((prefix) => name.startsWith(prefix));
  const known = new Set([...usernameHeaders, ...uidHeaders, ...groupHeaders]);
  const pairs = selectHeaders(rawHeaders, (name) => known.has(name) || prefixOf(name) !== undefined);
  const name = onlyValue(pairs, usernameHeaders);
  if (name === undefined) return undefined;
  const uid = onlyValue(pairs, uidHeaders);
  const groups = groupHeaders.flatMap((header) => valuesOf(pairs, header));
  const extra = new Map<string, string[]>();
  for (const [header, value] of pairs) {
    const prefix = prefixOf(header);
    if (prefix === undefined) continue;
    const key = decodeExtraKey(header.slice(prefix.length));
    extra.set(key, [...(extra.get(key) ?? []), value]);
  }
  return { name, groups, extra: toRecord(extra), ...(uid !== undefined && { uid }) };
}

const valuesOf = (pairs: readonly HeaderPair[], header: string): readonly string[] =>
  pairs.flatMap(([name, value]) => (name === header && value !== '' ? [value] : []));

/** The value of the first header that has one. */
function onlyValue(pairs: readonly HeaderPair[], headers: readonly string[]): string | undefined {
  for (const header of headers) {
    const values = valuesOf(pairs, header);
    if (values.length > 1) throw newUnauthorized();
    if (values[0] !== undefined) return values[0];
  }
  return undefined;
}

/** Keys are percent-encoded to fit into a header's name; one that is not stays as it is (unescapeExtraKey). */
function decodeExtraKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** Without a prototype, so that no key is special. */
export function toRecord(
  entries: Iterable<readonly [string, readonly string[]]>,
): Readonly<Record<string, readonly string[]>> {
  const record = Object.create(null) as Record<string, readonly string[]>;
  for (const [key, values] of entries) record[key] = values;
  return record;
}
