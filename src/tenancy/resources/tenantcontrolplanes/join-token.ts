import { formatTimestamp } from '../../../apimachinery/time.ts';
import { array, object, required, string, time } from '../../../apimachinery/schema/builders.ts';
import type { Static } from '../../../apimachinery/schema/typed.ts';
import type { ConnectSubresource } from '../../../apiserver/registry/definition.ts';
import type { Clock } from '../../../base/clock.ts';
import { createBootstrapToken, type BootstrapToken } from '../../../pki/bootstrap-token.ts';
import type { CertificateAndKey } from '../../../pki/certificate-and-key.ts';
import { caCertHash } from '../../../pki/inspect.ts';
import { API_VERSION, GROUP, VERSION } from '../../api/group.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { credentialRequestSchema, requestedLifetimeMs, requireEndpoint } from './credential-request.ts';

export interface JoinTokenDependencies {
  /** Live CA of the tenant. @throws StatusError 503 while there is none. */
  readAuthority(tenant: TenantControlPlane, signal: AbortSignal): Promise<CertificateAndKey>;
  /** Writes the token into the tenant. @throws StatusError 503 when the tenant does not answer. */
  storeToken(tenant: TenantControlPlane, token: BootstrapToken, expiresAt: Date, signal: AbortSignal): Promise<void>;
  readonly clock: Clock;
}

const joinTokenStatus = object({
  token: required(string({ description: 'Bootstrap token, `id.secret`.' })),
  expirationTimestamp: required(time({ description: 'When the token ends.' })),
  caCertHashes: required(
    array(string(), { description: 'Hashes by which kubeadm knows the certificate authority of the tenant.' }),
  ),
  endpoint: required(string({ description: 'Where the API of the tenant is reached, as `host:port`.' })),
  joinCommand: required(string({ description: 'What to run on a machine to make it a node of the tenant.' })),
});

const joinTokenSchema = object({ status: required(joinTokenStatus) });

export interface JoinToken {
  readonly apiVersion: string;
  readonly kind: 'JoinToken';
  readonly metadata: { readonly name: string; readonly namespace: string; readonly creationTimestamp: string };
  readonly status: Static<typeof joinTokenStatus>;
}

/**
 * `tenantcontrolplanes/<name>/join-token`: a bootstrap token minted for this call, with the whole `kubeadm join` line. The
 * token lives in the tenant alone, where the token cleaner removes it when it has expired.
 */
export function createJoinTokenSubresource(
  dependencies: JoinTokenDependencies,
): ConnectSubresource<TenantControlPlane> {
  return {
    name: 'join-token',
    responseKind: { group: GROUP, version: VERSION, kind: 'JoinToken' },
    responseSchema: joinTokenSchema,
    requestSchema: credentialRequestSchema,
    verbs: ['get', 'create'],
    alsoRequiresVerb: 'create',
    sensitive: true,
    async connect(tenant, request): Promise<JoinToken> {
      const name = tenant.metadata.name ?? '';
      const lifetimeMs = requestedLifetimeMs(request, 'JoinTokenRequest', name);
      const endpoint = requireEndpoint(tenant);
      const authority = await dependencies.readAuthority(tenant, request.signal);
      const now = dependencies.clock.now();
      const expiresAt = new Date(now + lifetimeMs);
      const token = createBootstrapToken();
      if (!request.dryRun) await dependencies.storeToken(tenant, token, expiresAt, request.signal);
      const text = `${token.id}.${token.secret}`;
      const hash = caCertHash(authority.certificate);
      return {
        apiVersion: API_VERSION,
        kind: 'JoinToken',
        metadata: { name, namespace: tenant.metadata.namespace ?? '', creationTimestamp: formatTimestamp(now) },
        status: {
          token: text,
          expirationTimestamp: formatTimestamp(expiresAt.getTime()),
          caCertHashes: [hash],
          endpoint,
          joinCommand: `kubeadm join ${endpoint} --token ${text} --discovery-token-ca-cert-hash ${hash}`,
        },
      };
    },
    columns: [
      { name: 'Name', type: 'string', description: 'Name of the tenant control plane.' },
      { name: 'Endpoint', type: 'string', description: 'Where its API is reached.' },
      { name: 'Expires', type: 'string', description: 'When the token ends.' },
      { name: 'Credential', type: 'string', description: 'How to see the credential, which a table never shows.' },
    ],
    row(answer, tenant) {
      const { status } = answer as JoinToken;
      return [tenant.metadata.name ?? '', status.endpoint, status.expirationTimestamp, 'hidden: use -o yaml'];
    },
  };
}
