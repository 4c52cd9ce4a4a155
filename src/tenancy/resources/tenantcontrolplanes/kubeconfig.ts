import { anyJson, array, map, object, required, string } from '../../../apimachinery/schema/builders.ts';
import type { ConnectSubresource } from '../../../apiserver/registry/definition.ts';
import type { Clock } from '../../../base/clock.ts';
import type { CertificateAndKey } from '../../../pki/certificate-and-key.ts';
import { issueCertificate, openAuthority } from '../../../pki/issue.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { newKubeconfig, type Kubeconfig } from '../../provisioning/kubeconfig.ts';
import { credentialRequestSchema, requestedLifetimeMs, requireEndpoint } from './credential-request.ts';

/** Group of kubeadm's administrators: cluster-admin by an ordinary binding, so that it can be taken away again. */
export const ADMIN_GROUP = 'kubeadm:cluster-admins';

/** The caller's name in the tenant, so that the tenant's audit log tells who it was. */
export function tenantUserName(caller: string): string {
  return `kamaji:${caller}`;
}

export interface KubeconfigDependencies {
  /** Live CA of the tenant. @throws StatusError 503 while there is none. */
  readAuthority(tenant: TenantControlPlane, signal: AbortSignal): Promise<CertificateAndKey>;
  readonly clock: Clock;
}

/**
 * `tenantcontrolplanes/<name>/kubeconfig`: a client configuration with a certificate minted for this call. It is a `v1`
 * `Config`, so `kubectl get tcp NAME --subresource=kubeconfig -o yaml` prints a file that works as it is. Nothing of it is
 * kept; it ends by expiring.
 */
export function createKubeconfigSubresource(
  dependencies: KubeconfigDependencies,
): ConnectSubresource<TenantControlPlane> {
  return {
    name: 'kubeconfig',
    responseKind: { group: '', version: 'v1', kind: 'Config' },
    responseSchema: kubeconfigSchema,
    requestSchema: credentialRequestSchema,
    verbs: ['get', 'create'],
    alsoRequiresVerb: 'create',
    sensitive: true,
    async connect(tenant, request) {
      const name = tenant.metadata.name ?? '';
      const lifetimeMs = requestedLifetimeMs(request, 'KubeconfigRequest', name);
      const endpoint = requireEndpoint(tenant);
      const authority = await dependencies.readAuthority(tenant, request.signal);
      const user = tenantUserName(request.user.name);
      const client = await issueCertificate(
        openAuthority(authority),
        { subject: { commonName: user, organizations: [ADMIN_GROUP] }, usages: ['client'], lifetimeMs },
        new Date(dependencies.clock.now()),
      );
      return newKubeconfig({
        clusterName: name,
        server: `https://${endpoint}`,
        caCertificate: authority.certificate,
        userName: user,
        client,
      });
    },
    columns: [
      { name: 'Name', type: 'string', description: 'Name of the tenant control plane.' },
      { name: 'Server', type: 'string', description: 'Where its API is reached.' },
      { name: 'User', type: 'string', description: 'Name of the user in the tenant.' },
      { name: 'Credential', type: 'string', description: 'How to see the credential, which a table never shows.' },
    ],
    row(answer, tenant) {
      const config = answer as Kubeconfig;
      return [
        tenant.metadata.name ?? '',
        config.clusters[0]?.cluster.server ?? '',
        config.users[0]?.name ?? '',
        'hidden: use -o yaml',
      ];
    },
  };
}

const kubeconfigSchema = object({
  clusters: required(array(object({ name: required(string()), cluster: required(anyJson()) }))),
  contexts: required(array(object({ name: required(string()), context: required(map(string())) }))),
  users: required(array(object({ name: required(string()), user: required(anyJson()) }))),
  'current-context': required(string()),
});
