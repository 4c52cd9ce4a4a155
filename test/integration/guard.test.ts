/** The guard of what a tenant would not survive, called by a real kube-apiserver. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { eventually, run, runOk } from '../env/run.ts';

const NAMESPACE = 'guard';
const OURSELVES = 'system:serviceaccount:kamaji-system:kamaji';

const kubectl = (args: readonly string[], input = ''): Promise<string> => runOk('hack/kubectl', args, { input });
const attempt = (...args: readonly string[]) => run('hack/kubectl', ['-n', NAMESPACE, ...args]);

const TENANT = `apiVersion: kamaji.io/v1alpha1
kind: TenantControlPlane
metadata: { name: t, namespace: ${NAMESPACE} }
spec:
  dataStore: guard
  controlPlane: { deployment: { replicas: 0 }, service: { serviceType: ClusterIP } }
  kubernetes: { version: v1.36.3, kubelet: {} }
`;
const DATA_STORE = `apiVersion: kamaji.io/v1alpha1
kind: DataStore
metadata: { name: guard }
spec:
  driver: etcd
  endpoints: ["etcd.kamaji-system.svc:2379"]
  tlsConfig:
    certificateAuthority:
      certificate: { secretReference: { name: etcd, namespace: kamaji-system, keyPath: ca.crt } }
      privateKey: { secretReference: { name: etcd, namespace: kamaji-system, keyPath: ca.key } }
    clientCertificate:
      certificate: { secretReference: { name: etcd, namespace: kamaji-system, keyPath: tls.crt } }
      privateKey: { secretReference: { name: etcd, namespace: kamaji-system, keyPath: tls.key } }
`;
const secret = (name: string, uid: string, label: string) => `apiVersion: v1
kind: Secret
metadata:
  name: ${name}
  namespace: ${NAMESPACE}
  labels: { ${label} }
  ownerReferences: [{ apiVersion: kamaji.io/v1alpha1, kind: TenantControlPlane, name: t, uid: ${uid}, controller: true }]
stringData: { ca.key: first }
`;

let server: ApiServerProcess;
let uid: string;

beforeAll(async () => {
  server = await startApiServer();
  await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found']);
  await kubectl(['create', 'namespace', NAMESPACE]);
  await kubectl(['apply', '-f', '-'], DATA_STORE);
  await kubectl(['apply', '-f', '-'], TENANT);
  uid = await kubectl(['get', 'tcp', 't', '-n', NAMESPACE, '-o', 'jsonpath={.metadata.uid}']);
  await kubectl(['apply', '-k', 'webhooks']);
  await eventually('our CA in the webhook configuration', async () => {
    const bundle = await kubectl([
      'get',
      'validatingwebhookconfiguration',
      'kamaji-guard',
      '-o',
      'jsonpath={.webhooks[0].clientConfig.caBundle}',
    ]);
    return bundle === '' ? undefined : true;
  });
  await kubectl(['apply', '-f', '-'], secret('t-ca', uid, 'kamaji.io/irreplaceable: "true"'));
  await kubectl(['apply', '-f', '-'], secret('t-leaf', uid, 'some: label'));
  // kube-apiserver takes a moment to know a webhook, and does without it until then.
  await eventually('the guard to be asked', async () =>
    (await attempt('delete', 'secret', 't-ca', '--dry-run=server')).code === 0 ? undefined : true,
  );
});

afterAll(async () => {
  await kubectl(['delete', '-k', 'webhooks', '--ignore-not-found']);
  await kubectl(['delete', 'namespace', NAMESPACE]);
  await kubectl(['delete', 'datastore', 'guard', '--ignore-not-found']);
  await server?.remove();
});

describe('the guard', () => {
  it('refuses the cluster admin to delete or change a root Secret, and says what to do', async () => {
    const patch = (value: string) => attempt('patch', 'secret', 't-ca', '--type=merge', '-p', value);
    for (const { code, stderr } of [
      await attempt('delete', 'secret', 't-ca'),
      await attempt('delete', 'secrets', '-l', 'kamaji.io/irreplaceable=true'),
      await patch('{"stringData":{"ca.key":"second"}}'),
      await patch('{"data":null}'),
      await patch('{"metadata":{"labels":{"kamaji.io/irreplaceable":null}}}'),
      await patch('{"metadata":{"ownerReferences":null}}'),
    ]) {
      expect(code).toBe(1);
      expect(stderr).toContain('delete the TenantControlPlane to remove both');
    }
    expect((await attempt('get', 'secret', 't-ca', '-o', 'jsonpath={.data.ca\\.key}')).stdout).toBe(btoa('first'));
  });

  it('lets annotations, other Secrets and ourselves pass', async () => {
    expect(await attempt('annotate', 'secret', 't-ca', 'note=x')).toMatchObject({ code: 0 });
    expect(await attempt('delete', 'secret', 't-leaf')).toMatchObject({ code: 0 });
    await kubectl([
      'create',
      'rolebinding',
      'ours',
      '--clusterrole=admin',
      `--serviceaccount=kamaji-system:kamaji`,
      '-n',
      NAMESPACE,
    ]);
    const ours = await attempt(
      `--as=${OURSELVES}`,
      'patch',
      'secret',
      't-ca',
      '--type=merge',
      '-p',
      '{"stringData":{"ca.key":"ours"}}',
    );
    expect(ours).toMatchObject({ code: 0 });
  });

  it('goes out of the way with the tenant', async () => {
    expect(await attempt('delete', 'secret', 't-ca')).toMatchObject({ code: 1 });
    await kubectl(['delete', 'tcp', 't', '-n', NAMESPACE, '--wait=false']);
    await eventually('the Secret to be free', async () => {
      const { code } = await attempt('delete', 'secret', 't-ca', '--ignore-not-found');
      return code === 0 ? true : undefined;
    });
  });
});
