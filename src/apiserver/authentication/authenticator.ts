import type { X509Certificate } from 'node:crypto';
import type { UserInfo } from '../registry/definition.ts';

/** What a request says about who sent it. */
export interface RequestFacts {
  /**
   * Header names and values alternating, as they came over the wire. Repeated headers stay separate: joining them would make
   * the group `a, system:masters` look like two groups.
   */
  readonly rawHeaders: readonly string[];
  /** The client's leaf certificate as presented in the TLS handshake; not verified against any authority yet. */
  readonly peerCertificate: X509Certificate | undefined;
  readonly remoteAddress: string | undefined;
  readonly signal: AbortSignal;
}

/** The twin of k8s.io/apiserver/pkg/authentication/authenticator.Request. */
export interface Authenticator {
  /**
   * Undefined: these credentials are not mine, ask the next one. The user's groups include `system:authenticated`.
   * @throws StatusError (401) when credentials are mine but bad.
   */
  authenticate(facts: RequestFacts): Promise<{ readonly user: UserInfo } | undefined>;
}
