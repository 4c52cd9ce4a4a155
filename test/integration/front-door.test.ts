/** Who gets in and what for: users behind the real aggregation layer, and callers that come to us directly. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminKubeconfig, startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { eventually, run, runOk } from '../env/run.ts';
import { ChainLink, CLIENT_AUTH } from '../env/test-chain.ts';

const NAMESPACE = 'front-door';
const LIST = `/apis/kamaji.io/v1alpha1/namespaces/${NAMESPACE}/tenantcontrolplanes`;

const kubectl = (args: readonly string[], input = ''): Promise<string> => runOk('hack/kubectl', args, { input });
/** `kubectl` as another user: kube-apiserver impersonates, and its front proxy tells us so. */
const as = (user: string, groups: readonly string[], args: readonly string[]) =>
  run('hack/kubectl', [`--as=${user}`, ...groups.map((group) => `--as-group=${group}`), ...args]);
const get = (user: string, path: string, groups: readonly string[] = []) => as(user, groups, ['get', '--raw', path]);

const ROLES = `apiVersion: v1
kind: Namespace
metadata: { name: ${NAMESPACE} }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: robot, namespace: ${NAMESPACE} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: front-door-reads-everything }
rules: [{ apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch] }]
---
${['view', 'edit', 'admin', 'front-door-reads-everything']
  .map(
    (role) => `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: ${role}, namespace: ${NAMESPACE} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${role} }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: ${role}-user }]
`,
  )
  .join('---\n')}`;

let server: ApiServerProcess;
beforeAll(async () => {
  server = await startApiServer();
  await kubectl(['apply', '-f', 'manifests/base/user-roles.yaml']);
  await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found']);
  await kubectl(['apply', '-f', '-'], ROLES);
  await eventually('the aggregated roles', async () => {
    const can = await run('hack/kubectl', [
      'auth',
      'can-i',
      'create',
      'tenantcontrolplanes.kamaji.io',
      '--subresource=kubeconfig',
      '-n',
      NAMESPACE,
      '--as=admin-user',
    ]);
    return can.stdout.trim() === 'yes' ? true : undefined;
  });
});
afterAll(async () => {
  // While our API is there: the namespace controller asks it what else is in the namespace.
  await kubectl(['delete', 'namespace', NAMESPACE]);
  await kubectl(['delete', 'clusterrole', 'front-door-reads-everything', '--ignore-not-found']);
  await server?.remove();
});

describe('users behind the front proxy', () => {
  it('without a role are told what they lack', async () => {
    const { code, stderr } = await get('nobody', LIST);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `User "nobody" cannot list resource "tenantcontrolplanes" in API group "kamaji.io" in the namespace "${NAMESPACE}"`,
    );
  });

  it('are not made masters by a comma', async () => {
    const { code, stderr } = await get('eve', LIST, ['a, system:masters', 'b']);
    expect(code).toBe(1);
    expect(stderr).toContain('forbidden');
    // The same words as two groups are another matter, and only the cluster's admin may say them.
    expect((await get('eve', LIST, ['a', 'system:masters'])).code).toBe(0);
  });

  it('are known by name and group whatever script those are in', async () => {
    const binding = `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: script, namespace: ${NAMESPACE} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
subjects:
  - { apiGroup: rbac.authorization.k8s.io, kind: User, name: jürgen😀 }
  - { apiGroup: rbac.authorization.k8s.io, kind: Group, name: "büro, 2. stock" }
`;
    await kubectl(['apply', '-f', '-'], binding);
    await eventually('the binding', async () => ((await get('jürgen😀', LIST)).code === 0 ? true : undefined));
    expect((await get('x', LIST, ['büro, 2. stock'])).code).toBe(0);
    expect((await get('x', LIST, ['büro', '2. stock'])).code).toBe(1);
    expect((await get('jürgen', LIST)).code).toBe(1);
  });

  it('may with view look, with edit change, and with admin alone mint credentials', async () => {
    const kubeconfig = `${LIST}/none/kubeconfig`;
    for (const user of ['view-user', 'edit-user', 'admin-user']) expect((await get(user, LIST)).code).toBe(0);
    for (const user of ['view-user', 'edit-user']) {
      expect((await get(user, kubeconfig)).stderr).toContain('cannot get resource "tenantcontrolplanes/kubeconfig"');
    }
    // Beyond the door there is no such tenant.
    expect((await get('admin-user', kubeconfig)).stderr).toContain('"none" not found');
    const sample = (await readFile('manifests/samples/tenant.yaml', 'utf8')).replace(
      'namespace: default',
      `namespace: ${NAMESPACE}`,
    );
    const create = (user: string) =>
      run('hack/kubectl', [`--as=${user}`, 'create', '--dry-run=server', '-f', '-'], { input: sample });
    expect((await create('view-user')).stderr).toContain('cannot create resource "tenantcontrolplanes"');
    // Past the door; what is left to say against the sample is that its DataStore is not there.
    expect((await create('edit-user')).stderr).not.toContain('forbidden');
  });

  it('who may read everything may still not mint', async () => {
    const { stderr } = await get('front-door-reads-everything-user', `${LIST}/none/kubeconfig`);
    expect(stderr).toContain('cannot create resource "tenantcontrolplanes/kubeconfig"');
  });

  it('see discovery without any role', async () => {
    expect((await get('nobody', '/apis/kamaji.io/v1alpha1')).code).toBe(0);
  });
});

describe('callers that come to us directly', () => {
  const forged = ['X-Remote-User', 'kubernetes-admin', 'X-Remote-Group', 'system:masters'];

  it('get nowhere with identity headers alone', async () => {
    expect((await call({ headers: forged })).status).toBe(401);
    const other = await ChainLink.root({ name: 'CN=front-proxy-ca' });
    const proxy = await other.issue({ name: 'CN=front-proxy-client', usages: [CLIENT_AUTH] });
    expect((await call({ headers: forged, identity: { cert: proxy.certificate, key: proxy.key } })).status).toBe(401);
  });

  it('are anonymous without credentials: health and nothing else', async () => {
    expect((await call({ path: '/readyz' })).status).toBe(200);
    expect((await call({ path: '/apis/kamaji.io/v1alpha1' })).status).toBe(401);
    expect((await call({ path: '/metrics' })).status).toBe(401);
  });

  it('may come with a token that kube-apiserver knows, and do what its owner may', async () => {
    const token = (await kubectl(['create', 'token', 'robot', '-n', NAMESPACE])).trim();
    const bearer = ['Authorization', `Bearer ${token}`];
    expect(await call({ headers: bearer })).toMatchObject({
      status: 403,
      text: expect.stringContaining(`system:serviceaccount:${NAMESPACE}:robot`),
    });
    await kubectl([
      'create',
      'rolebinding',
      'robot',
      '--clusterrole=view',
      `--serviceaccount=${NAMESPACE}:robot`,
      '-n',
      NAMESPACE,
    ]);
    // What was refused is remembered for ten seconds.
    await eventually(
      'the binding to count',
      async () => ((await call({ headers: bearer })).status === 200 ? true : undefined),
      { timeoutMs: 20_000 },
    );
    expect((await call({ headers: ['Authorization', `Bearer ${token}x`] })).status).toBe(401);
    expect((await call({ headers: ['Authorization', 'Bearer nonsense'] })).status).toBe(401);
    expect((await call({ headers: [...forged, 'Authorization', 'Bearer nonsense'] })).status).toBe(401);
  });

  it('may come with a client certificate of the cluster, and are then nobody else', async () => {
    const config = parse(await readFile(adminKubeconfig(), 'utf8')) as { users: { user: Record<string, string> }[] };
    const decode = (name: string) => Buffer.from(config.users[0]!.user[name]!, 'base64').toString('utf8');
    const identity = { cert: decode('client-certificate-data'), key: decode('client-key-data') };
    expect((await call({ identity })).status).toBe(200);
    expect((await call({ identity, headers: ['X-Remote-User', 'nobody'] })).status).toBe(200);
  });

  it('are refused and taken again as the cluster changes whom it trusts, without a restart', async () => {
    const next = await ChainLink.root({ name: 'CN=next-front-proxy-ca' });
    const proxy = await next.issue({ name: 'CN=front-proxy-client', usages: [CLIENT_AUTH] });
    const identity = { cert: proxy.certificate, key: proxy.key };
    const status = async () => (await call({ headers: forged, identity })).status;
    const map = ['-n', 'kube-system', 'configmap', 'extension-apiserver-authentication'];
    const before = JSON.parse(await kubectl(['get', ...map, '-o', 'json'])) as { data: Record<string, string> };
    const authorities = before.data['requestheader-client-ca-file']!;
    const setAuthorities = (text: string) =>
      kubectl([
        'patch',
        ...map,
        '--type=merge',
        '-p',
        JSON.stringify({ data: { 'requestheader-client-ca-file': text } }),
      ]);
    expect(await status()).toBe(401);
    // Whoever is trusted all the while notices nothing: users behind the aggregation layer ask on through it all.
    const over = new AbortController();
    const steady = (async () => {
      const codes: number[] = [];
      while (!over.signal.aborted) codes.push((await get('view-user', LIST)).code);
      return codes;
    })();
    try {
      await setAuthorities(`${authorities.trim()}\n${next.certificate}`);
      await eventually('the new proxy to be trusted', async () => ((await status()) === 200 ? true : undefined));
      // From its first request on, none of the new one's fails.
      expect(await Promise.all(Array.from({ length: 50 }, status))).toEqual(Array.from({ length: 50 }, () => 200));
      await setAuthorities(authorities);
      await eventually('the proxy to be refused', async () => ((await status()) === 401 ? true : undefined));
      expect(await Promise.all(Array.from({ length: 20 }, status))).toEqual(Array.from({ length: 20 }, () => 401));
    } finally {
      over.abort();
    }
    const codes = await steady;
    expect(codes.length).toBeGreaterThan(2);
    expect(codes.filter((code) => code !== 0)).toEqual([]);
  });
});

async function call(options: {
  readonly path?: string;
  readonly headers?: readonly string[];
  readonly identity?: { readonly cert: string; readonly key: string };
}): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const outgoing = request({
    host: '10.240.0.1',
    port: 8443,
    path: options.path ?? LIST,
    headers: ['Host', 'kamaji', ...(options.headers ?? [])],
    rejectUnauthorized: false,
    agent: false,
    ...options.identity,
  });
  outgoing.end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode, text };
}
