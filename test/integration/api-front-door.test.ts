/** Who gets in: at our own port, past the aggregation layer, and what a caller can smuggle through that layer. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Status } from '../../src/apimachinery/status.ts';
import { openAuthority, issueCertificate } from '../../src/pki/issue.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { tenantObjectNames } from '../../src/tenancy/provisioning/names.ts';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { adminKubeconfig, startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { newTestAuthority } from '../env/certificates.ts';
import {
  GROUP_PATH,
  kubeconfigCredentials,
  openClusterApi,
  openOwnPort,
  OWN_PORT,
  RawApi,
  type Credentials,
  type RawAnswer,
} from '../env/raw-api.ts';
import { eventually, runOk } from '../env/run.ts';

const tenants = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;
const pkiFolder = join(adminKubeconfig(), '../../pki');

/** Lets carol read tenants and their kubeconfigs: a role that may read everything, without the right to create. */
const READER = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reads-everything }
rules:
  - { apiGroups: [kamaji.io], resources: ["*"], verbs: [get, list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: reads-everything }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reads-everything }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: carol }]
`;

let server: ApiServerProcess;
let admin: RawApi;
let alice: Credentials;
const opened: RawApi[] = [];

/** At our own port with this certificate; without one, as nobody. */
function at(credentials?: Credentials): RawApi {
  const api = openOwnPort(credentials);
  opened.push(api);
  return api;
}

async function credentialsFromFiles(name: string): Promise<Credentials> {
  const [cert, key] = await Promise.all(
    ['crt', 'key'].map((kind) => readFile(join(pkiFolder, `${name}.${kind}`), 'utf8')),
  );
  return { cert: cert ?? '', key: key ?? '' };
}

/** A client certificate from an authority of the test cluster: `ca` signs its users, `front-proxy-ca` its front proxy. */
async function signedBy(
  authority: 'ca' | 'front-proxy-ca',
  commonName: string,
  organization?: string,
): Promise<Credentials> {
  const { cert, key } = await credentialsFromFiles(authority);
  const subject = organization === undefined ? { commonName } : { commonName, organizations: [organization] };
  const issued = await issueCertificate(
    openAuthority({ certificate: cert, key }),
    { subject, usages: ['client'] },
    new Date(),
  );
  return { cert: issued.certificate, key: issued.key };
}

const messageOf = (answer: RawAnswer): string | undefined => (answer.json() as Status).message;
/** What somebody who is not the front proxy would like to be. */
const asMaster = [
  'X-Remote-User',
  'evil',
  'X-Remote-Group',
  'system:masters',
  'X-Remote-Group',
  'system:authenticated',
];
const logText = (): Promise<string> => readFile(join(server.folder, 'server.log'), 'utf8');

beforeAll(async () => {
  // The most talkative level: what it does not tell, no level tells.
  server = await startApiServer(['--log-level=debug']);
  admin = await openClusterApi();
  alice = await signedBy('ca', 'alice', 'developers');
  await admin.read(`${GROUP_PATH}/datastores`, { method: 'POST', body: dataStoreObject('default') });
});
afterAll(async () => {
  for (const api of [...opened, admin]) api?.close();
  await server?.remove();
});

describe('without a certificate', () => {
  it.each(['/healthz', '/livez', '/readyz', '/readyz/ping', '/livez?verbose'])('anyone may ask %s', async (path) => {
    expect((await at().ask(path)).code).toBe(200);
  });

  it.each([
    '/',
    '/apis',
    GROUP_PATH,
    '/openapi/v2',
    '/openapi/v3',
    '/version',
    '/metrics',
    tenants,
    `${tenants}/x/kubeconfig`,
    '//metrics',
    '/nowhere',
  ])('nobody may ask %s', async (path) => {
    const answer = await at().ask(path);
    expect(answer.code).toBe(401);
    expect(answer.json()).toMatchObject({ kind: 'Status', reason: 'Unauthorized' });
  });

  it('an open path leads to nothing else', async () => {
    for (const path of ['/healthz/../metrics', '/healthz%2f..%2fmetrics', `/livez/../..${tenants}`]) {
      expect((await at().ask(path)).json()).toMatchObject({ kind: 'Status', code: 404 });
    }
  });

  it('identity headers count for nothing', async () => {
    expect((await at().ask(tenants, { headers: asMaster })).code).toBe(401);
    expect((await at().ask('/metrics', { headers: asMaster })).code).toBe(401);
  });

  it('a token that nobody gave out is none', async () => {
    for (const authorization of [
      'Bearer nonsense',
      'Bearer ',
      'Basic YWRtaW46YWRtaW4=',
      `Bearer ${'x'.repeat(100_000)}`,
    ]) {
      expect((await at().ask(tenants, { headers: { Authorization: authorization } })).code).toBe(401);
    }
  });

  it('the token of a ServiceAccount is asked about, and gives no more than its rights', async () => {
    const token = (await runOk('hack/kubectl', ['-n', 'default', 'create', 'token', 'default'])).trim();
    const answer = await at().ask(tenants, { headers: { Authorization: `Bearer ${token}` } });
    expect([answer.code, messageOf(answer)]).toEqual([
      403,
      expect.stringContaining('User "system:serviceaccount:default:default" cannot list'),
    ]);
    expect(await logText()).not.toContain(token.slice(-20));
  });
});

describe('with a certificate of the front proxy', () => {
  let proxy: RawApi;
  beforeAll(async () => {
    proxy = at(await credentialsFromFiles('front-proxy-client'));
  });

  it('the headers are who it is', async () => {
    expect((await proxy.ask(tenants, { headers: asMaster })).code).toBe(200);
    const answer = await proxy.ask(tenants, { headers: { 'X-Remote-User': 'bob', 'X-Remote-Group': 'developers' } });
    expect([answer.code, messageOf(answer)]).toEqual([
      403,
      expect.stringContaining(
        'User "bob" cannot list resource "tenantcontrolplanes" in API group "kamaji.io" in the namespace "default"',
      ),
    ]);
  });

  it('one group with a comma in its name is one group', async () => {
    for (const group of ['a, system:masters', 'a,system:masters', 'system:masters ,b', ',system:masters']) {
      const answer = await proxy.ask(tenants, { headers: ['X-Remote-User', 'bob', 'X-Remote-Group', group] });
      expect(answer.code).toBe(403);
    }
  });

  it('a name in other letters is another name', async () => {
    for (const group of ['System:Masters', 'system:masters\u00a0', 'system\\:masters']) {
      const headers = ['X-Remote-User', 'bob', 'X-Remote-Group', Buffer.from(group, 'utf8').toString('latin1')];
      expect((await proxy.ask(tenants, { headers })).code).toBe(403);
    }
  });

  it('two users at once are nobody', async () => {
    const headers = ['X-Remote-User', 'bob', 'X-Remote-User', 'system:admin', 'X-Remote-Group', 'system:masters'];
    expect((await proxy.ask(tenants, { headers })).code).toBe(401);
  });

  it('no headers are nobody: the proxy itself has no rights', async () => {
    expect((await proxy.ask(tenants)).code).toBe(401);
    expect((await proxy.ask(tenants, { headers: ['X-Remote-Group', 'system:masters'] })).code).toBe(401);
  });
});

describe('with another certificate', () => {
  it('of an authority that nobody knows', async () => {
    const stranger = await newTestAuthority('front-proxy-ca');
    const { certificate, key } = await stranger.issue({
      commonName: 'front-proxy-client',
      organization: 'system:masters',
    });
    expect((await at({ cert: certificate, key }).ask(tenants, { headers: asMaster })).code).toBe(401);
    expect((await at({ cert: certificate + stranger.certificate, key }).ask(tenants, { headers: asMaster })).code).toBe(
      401,
    );
  });

  it('of a user of the cluster: the headers count for nothing, the certificate counts', async () => {
    const answer = await at(alice).ask(tenants, { headers: asMaster });
    expect([answer.code, messageOf(answer)]).toEqual([403, expect.stringContaining('User "alice" cannot list')]);
    const kubelet = await at(await signedBy('ca', 'system:node:evil', 'system:nodes')).ask(tenants, {
      headers: asMaster,
    });
    expect([kubelet.code, messageOf(kubelet)]).toEqual([403, expect.stringContaining('User "system:node:evil"')]);
    const administrator = await at(await kubeconfigCredentials()).ask(tenants, { headers: ['X-Remote-User', 'alice'] });
    expect(administrator.code).toBe(200);
  });

  it("of a user who has the proxy's name", async () => {
    const answer = await at(await signedBy('ca', 'front-proxy-client')).ask(tenants, { headers: asMaster });
    expect([answer.code, messageOf(answer)]).toEqual([403, expect.stringContaining('User "front-proxy-client"')]);
  });

  it("of the proxy's authority with a name that is not the proxy's", async () => {
    expect((await at(await signedBy('front-proxy-ca', 'alice')).ask(tenants, { headers: asMaster })).code).toBe(401);
  });

  it('that has the right issuer in name alone, or serves as a server only', async () => {
    const { cert, key } = await credentialsFromFiles('apiserver');
    expect((await at({ cert, key }).ask(tenants, { headers: asMaster })).code).toBe(401);
  });
});

describe('/metrics', () => {
  it('is for those who may', async () => {
    const refused = await at(alice).ask('/metrics');
    expect([refused.code, messageOf(refused)]).toEqual([
      403,
      expect.stringContaining('User "alice" cannot get path "/metrics"'),
    ]);
    const shown = await at(await kubeconfigCredentials()).ask('/metrics');
    expect([shown.code, shown.headers['content-type']]).toEqual([200, expect.stringContaining('text/plain')]);
    expect(shown.text).toContain('apiserver_request_total');
  });
});

describe('TLS', () => {
  const handshake = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const settings = {
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
      rejectUnauthorized: false,
    };
    const socket = connect({ ...OWN_PORT, ...settings }, () => {
      resolve(socket.getProtocol() ?? '');
      socket.destroy();
    });
    socket.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    return promise;
  };

  it('is 1.2 or newer', async () => {
    expect(await handshake('TLSv1.2')).toBe('TLSv1.2');
    expect(await handshake('TLSv1.3')).toBe('TLSv1.3');
    // The server's alert, not a refusal of this side.
    expect(await handshake('TLSv1.1')).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('has the certificate that the cluster was told to trust, for the name that it calls', async () => {
    const service = await admin.read<{ spec: { caBundle: string } }>(
      '/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.kamaji.io',
    );
    const ca = Buffer.from(service.spec.caBundle, 'base64').toString('utf8');
    const verified = new RawApi({ ...OWN_PORT, ca, servername: 'kamaji.kamaji-system.svc', rejectUnauthorized: true });
    opened.push(verified);
    expect((await verified.ask('/livez')).code).toBe(200);
    const misnamed = new RawApi({ ...OWN_PORT, ca, servername: 'kubernetes.default.svc', rejectUnauthorized: true });
    opened.push(misnamed);
    await expect(misnamed.ask('/livez')).rejects.toThrow('altnames');
  });
});

describe('through the aggregation layer', () => {
  it('a user cannot add groups to those that he has', async () => {
    await runOk('hack/kubectl', ['apply', '-f', '-'], { input: READER });
    const user = new RawApi({ host: OWN_PORT.host, port: 6443, ...(await signedBy('ca', 'carol')) });
    opened.push(user);
    await admin.read(tenants, { method: 'POST', body: tenantObject('target') });
    await eventually('the binding to be known', async () =>
      (await user.ask(tenants)).code === 200 ? true : undefined,
    );
    // She may read everything, so the request comes through to us; minting needs another right, which headers do not give.
    for (const headers of [
      [],
      asMaster,
      ['X-Remote-Group', 'a, system:masters'],
      ['X_Remote_Group', 'system:masters'],
      ['Connection', 'X-Remote-User', 'X-Remote-Group', 'system:masters'],
    ]) {
      const answer = await user.ask(`${tenants}/target/kubeconfig`, { headers });
      expect([answer.code, messageOf(answer)]).toEqual([
        403,
        expect.stringContaining('User "carol" cannot create resource "tenantcontrolplanes/kubeconfig"'),
      ]);
    }
  });
});

describe('credentials', () => {
  const secrets: string[] = [];

  beforeAll(async () => {
    // What the controllers would have made: the CA of the tenant, and where its API is.
    const tenant = await admin.read<TenantControlPlane>(tenants, { method: 'POST', body: tenantObject('minting') });
    const authority = await newTestAuthority('minting');
    const { ca } = tenantObjectNames('minting');
    const ownerReferences = [
      { apiVersion: 'kamaji.io/v1alpha1', kind: 'TenantControlPlane', name: 'minting', uid: tenant.metadata.uid },
    ];
    await runOk('hack/kubectl', ['-n', 'default', 'delete', 'secret', ca, '--ignore-not-found']);
    await admin.read('/api/v1/namespaces/default/secrets', {
      method: 'POST',
      body: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: ca, ownerReferences },
        stringData: { 'ca.crt': authority.certificate, 'ca.key': authority.key },
      },
    });
    await admin.read(`${tenants}/minting/status`, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/merge-patch+json' },
      body: { status: { controlPlaneEndpoint: '192.0.2.1:6443' } },
    });
    secrets.push(lastLine(authority.key));
  });

  /** Of a PEM block: random enough to be found nowhere by chance. */
  const lastLine = (pem: string): string => pem.trim().split('\n').at(-2) ?? '';

  it.each(['GET', 'POST'])('a kubeconfig by %s is for this caller, for an hour, and for no cache', async (method) => {
    const answer = await admin.ask(`${tenants}/minting/kubeconfig`, { method });
    expect([method === 'POST' ? 201 : 200, answer.code]).toContain(answer.code);
    expect(answer.headers['cache-control']).toContain('no-store');
    const config = answer.json() as {
      kind: string;
      users: readonly { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
    };
    expect(config.kind).toBe('Config');
    const key = Buffer.from(config.users[0]!.user['client-key-data'], 'base64').toString('utf8');
    expect(key).toContain('PRIVATE KEY');
    secrets.push(lastLine(key), config.users[0]!.user['client-key-data'].slice(-40));
  });

  it('a join token is for no cache either', async () => {
    const answer = await admin.ask(`${tenants}/minting/join-token?dryRun=All`, { method: 'POST' });
    expect(answer.headers['cache-control']).toContain('no-store');
    const { token } = (answer.json() as { status: { token: string } }).status;
    expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    secrets.push(token.slice(7));
  });

  it('tables show none', async () => {
    const Accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const table = await admin.ask(`${tenants}/minting/kubeconfig`, { headers: { Accept } });
    expect(table.code).toBe(200);
    expect(table.headers['cache-control']).toContain('no-store');
    expect(table.text).not.toMatch(/PRIVATE KEY|LS0tLS1CRUdJTiB|client-key/);
  });

  it('a refusal to mint is not kept by caches either, and tells nothing', async () => {
    const answer = await admin.ask(`${tenants}/target/kubeconfig`);
    expect([answer.code, (answer.json() as Status).reason]).toEqual([503, 'ServiceUnavailable']);
    expect(answer.headers['cache-control']).toMatch(/no-store|no-cache/);
  });

  it('when the tenant does not answer, that is what the caller is told', async () => {
    const answer = await admin.ask(`${tenants}/minting/join-token`, { method: 'POST' });
    expect([answer.code, (answer.json() as Status).reason]).toEqual([503, 'ServiceUnavailable']);
    expect(answer.text).not.toMatch(/[a-z0-9]{6}\.[a-z0-9]{16}/);
  });

  it('none of them is in the log, the metrics or the database', async () => {
    const log = await logText();
    expect(log.split('\n').length).toBeGreaterThan(50);
    const metrics = await at(await kubeconfigCredentials()).ask('/metrics');
    const files = await Promise.all(
      ['kamaji.db', 'kamaji.db-wal'].map((name) => readFile(join(server.folder, name), 'latin1')),
    );
    expect(secrets).toHaveLength(6);
    for (const text of [log, metrics.text, ...files]) {
      for (const secret of secrets) expect(text.includes(secret)).toBe(false);
      expect(text).not.toMatch(/PRIVATE KEY|LS0tLS1CRUdJTiB(QUk|FQyBQ|SU0Eg)|eyJhbGciOi|\b[a-z0-9]{6}\.[a-z0-9]{16}\b/);
    }
  });
});
