import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Authenticator } from './authenticator.ts';
import { verifyClientCertificate, type TrustBundle } from './client-certificate-verifier.ts';
import { withAuthenticatedGroup } from './user.ts';

/**
 * A client certificate of the cluster's own authority: common name is the user, organizations are the groups.
 * k8s.io/apiserver/pkg/authentication/request/x509/x509.go, CommonNameUserConversion
 */
export function createClientCertificateAuthenticator(
  trust: () => TrustBundle | undefined,
  clock: Clock,
): Authenticator {
  return {
    authenticate: async ({ peerCertificate }) => {
      const bundle = trust();
      if (bundle === undefined || peerCertificate === undefined) return undefined;
      const verdict = verifyClientCertificate(peerCertificate, bundle, clock.now());
      if (!verdict.trusted || verdict.facts.commonName === '') return undefined;
      const { commonName, organizations } = verdict.facts;
      const fingerprint = createHash('sha256').update(peerCertificate.raw).digest('hex');
      const extra = { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] };
      return { user: withAuthenticatedGroup({ name: commonName, groups: organizations, extra }) };
    },
  };
}
