import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { failure, MemoryCluster } from '../../test/env/memory-cluster.ts';
import { tenantFixture } from '../../test/env/tenant.ts';
import type { KubeObject } from '../apimachinery/object.ts';
import type { ConnectRequest } from '../apiserver/registry/definition.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { ConnectionError } from '../kubeclient/api-error.ts';
import { SECRETS } from '../kubeclient/resources.ts';
import type { CertificateAndKey } from '../pki/certificate-and-key.ts';
import { createCertificateAuthority } from '../pki/issue.ts';
import type { TenantControlPlane } from '../tenancy/api/tenant-control-plane.ts';
import type { JoinToken } from '../tenancy/resources/tenantcontrolplanes/join-token.ts';
import { createConnectSubresources } from './connect-subresources.ts';

const clock = new FakeClock();

describe('the credential subresources in the program', () => {
  let ca: CertificateAndKey | undefined;
  let made: CertificateAndKey;
  let cluster: MemoryCluster;
  let reachable: boolean;
  beforeAll(async () => {
    made = await createCertificateAuthority({ subject: { commonName: 'kubernetes' }, now: new Date(clock.now()) });
  });
  beforeEach(() => {
    ca = made;
    cluster = new MemoryCluster();
    reachable = true;
  });

  const tenant: TenantControlPlane = { ...tenantFixture(), status: { controlPlaneEndpoint: '192.0.2.10:6443' } };
  const connect = (name: 'kubeconfig' | 'join-token'): Promise<object> => {
    const access = {
      readAuthority: () => Promise.resolve(ca),
      clientFor: () => Promise.resolve(reachable ? cluster : undefined),
      forget: () => undefined,
      close: () => undefined,
    };
    const found = createConnectSubresources(access, clock).find((one) => one.name === name);
    const request: ConnectRequest = {
      verb: 'get',
      user: { name: 'jane', groups: [], extra: {} },
      body: {},
      dryRun: false,
      signal: new AbortController().signal,
    };
    return found?.connect(tenant, request) ?? Promise.reject(new Error(`no ${name}`));
  };
  const text = (value: string | undefined): string => Buffer.from(value ?? '', 'base64').toString('utf8');

  it('put a token into the tenant as kubeadm does', async () => {
    const { status } = (await connect('join-token')) as JoinToken;
    const [id = '', secret = ''] = status.token.split('.');
    const stored = cluster.peek(SECRETS, 'kube-system', `bootstrap-token-${id}`) as KubeObject & {
      readonly type: string;
      readonly data: Readonly<Record<string, string>>;
    };
    expect(stored.type).toBe('bootstrap.kubernetes.io/token');
    const fields = Object.fromEntries(Object.entries(stored.data).map(([key, value]) => [key, text(value)]));
    expect(fields).toMatchObject({
      'token-id': id,
      'token-secret': secret,
      expiration: status.expirationTimestamp,
      'usage-bootstrap-signing': 'true',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
    });
  });

  it.each([failure(500, 'InternalError', 'etcd is slow'), new ConnectionError('connect EHOSTUNREACH', 'EHOSTUNREACH')])(
    'answer 503 for a tenant that does not take a token: %s',
    async (error) => {
      cluster.intercept = () => {
        throw error;
      };
      await expect(connect('join-token')).rejects.toMatchObject({
        status: {
          code: 503,
          message: `the API of t1 does not take a token now: ${error.message}`,
          details: { retryAfterSeconds: 1 },
        },
      });
    },
  );

  it('answer 503 while there is no CA', async () => {
    ca = undefined;
    for (const name of ['kubeconfig', 'join-token'] as const) {
      await expect(connect(name)).rejects.toMatchObject({ status: { code: 503, reason: 'ServiceUnavailable' } });
    }
    ca = made;
    reachable = false;
    await expect(connect('join-token')).rejects.toMatchObject({ status: { code: 503 } });
    expect(await connect('kubeconfig')).toMatchObject({ kind: 'Config' });
  });
});
