import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { Filter, Next, Request, Response } from './filter.ts';
import { newForbidden, newUnauthorized } from '../../apimachinery/status.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { UserInfo } from '../registry/definition.ts';
import { connectionOf } from '../http2-connections.ts';
import { contextOf } from '../request-context.ts';
import { isOpenPath } from './paths.ts';

const nothing = { group: '', resource: '' };
const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'], extra: {} };

const certificates = new WeakMap<object, X509Certificate>();

/** Asks the authenticators in order; who is nobody to all of them sees no more than the health of the server. */
export function newAuthenticationFilter(authenticators: readonly Authenticator[]): Filter {
  return async (request: Request, _response: Response, next: Next) => {
    const context = contextOf(request);
    const facts = {
      rawHeaders: request.rawHeaders,
      peerCertificate: peerCertificate(request),
      remoteAddress: request.socket.remoteAddress,
      signal: context.signal,
    };
    context.user = (await firstMatch(authenticators, facts)) ?? anonymous;
    if (context.user === anonymous && !isOpenPath(context.info.path)) throw newUnauthorized();
    if (asksToImpersonate(request.rawHeaders))
      throw newForbidden(nothing, '', 'impersonation is for kube-apiserver to grant: send the request through it');
    next();
  };
}

/**
 * kube-apiserver takes these headers off when it has acted on them. Somebody who calls us directly means to be less than he is,
 * and must not act with all his rights unawares.
 */
function asksToImpersonate(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((name, index) => index % 2 === 0 && name.toLowerCase().startsWith('impersonate-'));
}

async function firstMatch(
  authenticators: readonly Authenticator[],
  facts: Parameters<Authenticator['authenticate']>[0],
): Promise<UserInfo | undefined> {
  for (const authenticator of authenticators) {
    const found = await authenticator.authenticate(facts);
    if (found !== undefined) return found.user;
  }
  return undefined;
}

/** One object per connection, so that what is found out about it once stays known. */
function peerCertificate(request: Request): X509Certificate | undefined {
  const { socket } = request;
  if (!(socket instanceof TLSSocket)) return undefined;
  const connection = connectionOf(request);
  const known = certificates.get(connection);
  if (known !== undefined) return known;
  const certificate = socket.getPeerX509Certificate();
  if (certificate !== undefined) certificates.set(connection, certificate);
  return certificate;
}
