import type { Authenticator } from '../apiserver/authentication/authenticator.ts';
import { createClientCertificateAuthenticator } from '../apiserver/authentication/client-certificate.ts';
import { createDelegatedConfig, type DelegatedConfig } from '../apiserver/authentication/delegated-config.ts';
import { createLoopback } from '../apiserver/authentication/loopback.ts';
import { createRequestHeaderAuthenticator } from '../apiserver/authentication/request-header.ts';
import { createTokenReviewAuthenticator } from '../apiserver/authentication/token-review.ts';
import type { Authorizer } from '../apiserver/authorization/authorizer.ts';
import { createDelegatedAuthorizer } from '../apiserver/authorization/delegated-authorizer.ts';
import { createSubjectAccessReviewAuthorizer } from '../apiserver/authorization/subject-access-review.ts';
import { newServiceUnavailable } from '../apimachinery/status.ts';
import type { HealthCheck } from '../apiserver/health/checks.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { KubeClient } from '../kubeclient/client.ts';

export interface FrontDoorOptions {
  readonly adminClient: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface FrontDoor {
  /** In the order in which they are asked. */
  readonly authenticators: readonly Authenticator[];
  readonly authorizer: Authorizer;
  /** The controllers' key to our own API. */
  readonly loopbackToken: string;
  readonly readyCheck: HealthCheck;
  /** Follows the cluster's configuration until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Who may come in, and what for: the front proxy's word for its users, then the cluster's client certificates, our own controllers, and
 * tokens that kube-apiserver knows; what they may do is for kube-apiserver to say.
 */
export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const { clock } = options;
  const delegated = createDelegatedConfig(options);
  const loopback = createLoopback('system:kamaji:controllers');
  return {
    authenticators: [
      createRequestHeaderAuthenticator(() => delegated.current().requestHeader, clock),
      createClientCertificateAuthenticator(() => delegated.current().clientTrust, clock),
      // Before the review: the token must not be sent anywhere.
      loopback,
      createTokenReviewAuthenticator(options),
      newStartingAuthenticator(delegated),
    ],
    authorizer: createDelegatedAuthorizer({
      review: createSubjectAccessReviewAuthorizer(options),
      isLoopback: (user) => loopback.isLoopback(user),
      ownGroups: ['kamaji.io'],
    }),
    loopbackToken: loopback.token,
    readyCheck: delegated.readyCheck,
    run: (signal) => delegated.run(signal),
  };
}

/**
 * Asked last. Whose certificate nobody knows while the cluster's authorities have not been read yet may well be somebody a moment
 * later: told to come again, not turned away. @throws StatusError (503)
 */
function newStartingAuthenticator(delegated: DelegatedConfig): Authenticator {
  return {
    authenticate: async ({ peerCertificate }) => {
      const { requestHeader, clientTrust } = delegated.current();
      if (peerCertificate === undefined || requestHeader !== undefined || clientTrust !== undefined) return undefined;
      throw newServiceUnavailable('the server is starting: it does not know yet whom to trust', 1);
    },
  };
}
