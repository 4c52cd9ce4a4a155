/** What must be refused, and must neither be stored nor hurt the server, through the aggregation layer of a real kube-apiserver. */
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubeList } from '../../src/apimachinery/object.ts';
import type { Status } from '../../src/apimachinery/status.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import {
  GROUP_PATH,
  kubeconfigCredentials,
  openClusterApi,
  openOwnPort,
  type RawApi,
  type RawAnswer,
} from '../env/raw-api.ts';

const tenants = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;
const dataStores = `${GROUP_PATH}/datastores`;
const generators = `${GROUP_PATH}/kubeconfiggenerators`;
const json = { 'Content-Type': 'application/json' };
const yaml = { 'Content-Type': 'application/yaml' };
const mergePatch = { 'Content-Type': 'application/merge-patch+json' };
const jsonPatch = { 'Content-Type': 'application/json-patch+json' };

let server: ApiServerProcess;
let api: RawApi;
let own: RawApi;

let pid: number | undefined;

/** Of the whole store: any write of anything moves it. */
const revision = async (): Promise<string | undefined> =>
  (await api.read<KubeList>(`${tenants}?limit=1`)).metadata.resourceVersion;
const post = (path: string, body: unknown, headers: object = json): Promise<RawAnswer> =>
  api.ask(path, { method: 'POST', headers: { ...headers }, body });
const patch = (name: string, body: unknown, headers: object = mergePatch): Promise<RawAnswer> =>
  api.ask(`${tenants}/${name}`, { method: 'PATCH', headers: { ...headers }, body });
const fieldsOf = (status: Status): readonly string[] => (status.details?.causes ?? []).map(({ field = '' }) => field);

/** Resident memory of the server. */
async function megabytes(): Promise<number> {
  const status = await readFile(`/proc/${server.pid()}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

beforeAll(async () => {
  server = await startApiServer();
  api = await openClusterApi();
  own = openOwnPort(await kubeconfigCredentials());
  await api.read(dataStores, { method: 'POST', body: dataStoreObject('default') });
  await api.read(tenants, { method: 'POST', body: tenantObject('good') });
  pid = server.pid();
});
afterAll(async () => {
  api?.close();
  own?.close();
  await server?.remove();
});

const control = (service: object, more: object = {}): object => ({ controlPlane: { service, ...more } });
const network = (networkProfile: object): object => ({ networkProfile });
const version = (text: unknown): object => ({ kubernetes: { version: text } });
const profile = 'spec.networkProfile';

describe('an object that cannot be right', () => {
  let before: string | undefined;
  beforeEach(async () => {
    before = await revision();
  });
  afterEach(async () => {
    expect(await revision()).toBe(before);
  });

  // prettier-ignore
  it.each<[string, object, string[]]>([
    ['nothing in it', { controlPlane: undefined, kubernetes: undefined }, ['spec.controlPlane', 'spec.kubernetes']],
    // The second finding is that of the scale subresource, in upstream's words.
    ['text for a number', control({ serviceType: 'ClusterIP' }, { deployment: { replicas: 'two' } }), ['spec.controlPlane.deployment.replicas', '.spec.controlPlane.deployment.replicas']],
    ['a fraction for a number', control({ serviceType: 'ClusterIP' }, { deployment: { replicas: 1.5 } }), ['spec.controlPlane.deployment.replicas', '.spec.controlPlane.deployment.replicas']],
    ['a negative number', control({ serviceType: 'ClusterIP' }, { deployment: { replicas: -1 } }), ['spec.controlPlane.deployment.replicas', '.spec.controlPlane.deployment.replicas']],
    ['a list for text', version(['v1.36.1']), ['spec.kubernetes.version']],
    ['a number for text', version(1.36), ['spec.kubernetes.version']],
    ['an object for a list', network({ certSANs: { a: 'b' } }), [`${profile}.certSANs`]],
    ['a version that is none', version('latest'), ['spec.kubernetes.version']],
    ['a version that is too new', version('v1.99.0'), ['spec.kubernetes.version']],
    ['a version that is too old', version('v1.20.0'), ['spec.kubernetes.version']],
    ['a version with a path', version('v1.36.1/../../evil'), ['spec.kubernetes.version']],
    ['a version of 100,000 digits', version(`v1.${'3'.repeat(100_000)}.1`), ['spec.kubernetes.version']],
    ['a DataStore that is not there', { dataStore: 'absent' }, ['spec.dataStore']],
    ['an override to a DataStore that is not there', { dataStoreOverrides: [{ resource: '/events', dataStore: 'absent' }] }, ['spec.dataStoreOverrides[0].dataStore']],
    ['a schema that reaches into others', { dataStoreSchema: '../other' }, ['spec.dataStoreSchema']],
    ['the schema of a whole cluster', { dataStoreSchema: 'registry' }, ['spec.dataStoreSchema']],
    ['the user that may do everything', { dataStoreUsername: 'root' }, ['spec.dataStoreUsername']],
    ['CIDRs that are none', network({ podCidrs: ['10.1.0.0/33'], serviceCidrs: ['nonsense'] }), [`${profile}.serviceCidrs[0]`, `${profile}.podCidrs[0]`, `${profile}.serviceCidr`, `${profile}.podCidr`]],
    ['CIDRs that overlap', network({ podCidrs: ['10.0.0.0/8'], serviceCidrs: ['10.96.0.0/16'] }), [`${profile}.serviceCidrs[0]`]],
    ['two CIDRs of one family', network({ podCidrs: ['10.1.0.0/16', '10.2.0.0/16'] }), [`${profile}.podCidrs[1]`]],
    ['cluster DNS outside of its network', network({ dnsServiceIPs: ['192.0.2.1'] }), [`${profile}.dnsServiceIPs[0]`]],
    ['port 0', network({ port: 0 }), [`${profile}.port`]],
    ['port 65536', network({ port: 65_536 }), [`${profile}.port`]],
    ['a port that the pod has for something else', network({ port: 10_257 }), [`${profile}.port`]],
    ['one port for two things', network({ port: 8132 }), ['spec.addons.konnectivity.server.port']],
    ['a node port without an address', { ...control({ serviceType: 'NodePort' }), ...network({ port: 30_001 }), addons: { konnectivity: { enabled: false } } }, [`${profile}.address`]],
    ['a node port outside of the range', { ...control({ serviceType: 'NodePort' }), ...network({ address: '192.0.2.1' }), addons: { konnectivity: { enabled: false } } }, [`${profile}.port`]],
    ['an unknown kind of Service', control({ serviceType: 'Carrier pigeon' }), ['spec.controlPlane.service.serviceType']],
    ['source ranges without a load balancer', network({ loadBalancerSourceRanges: ['192.0.2.0/24'] }), [`${profile}.loadBalancerSourceRanges`]],
    ['a name of the certificate that is none', network({ certSANs: ['a b'] }), [`${profile}.certSANs[0]`]],
    ['Ingress and Gateway at once', control({ serviceType: 'ClusterIP' }, { ingress: { hostname: 'a.example.org' }, gateway: { hostname: 'a.example.org', parentRefs: [{ name: 'g' }] } }), ['spec.controlPlane.ingress']],
    ['a TLSRoute where there is no Gateway API', control({ serviceType: 'ClusterIP' }, { gateway: { hostname: 'a.example.org', parentRefs: [{ name: 'g' }] } }), ['spec.controlPlane.gateway']],
    ['a container that takes the name of ours', control({ serviceType: 'ClusterIP' }, { deployment: { additionalContainers: [{ name: 'kube-apiserver', image: 'evil' }] } }), ['spec.controlPlane.deployment.additionalContainers[0].name']],
    ['an unknown key algorithm', { kubernetes: { version: 'v1.36.1', encryptionAlgorithm: 'ROT13' } }, ['spec.kubernetes.encryptionAlgorithm']],
    ['a plugin that kube-apiserver does not know', { kubernetes: { version: 'v1.36.1', admissionControllers: ['AlwaysLucky'] } }, ['spec.kubernetes.admissionControllers[0]']],
  ])('tenant: %s', async (_, spec, fields) => {
    const answer = await post(tenants, tenantObject('bad', spec));
    const status = answer.json() as Status;
    expect([answer.code, status.reason, fieldsOf(status)]).toEqual([422, 'Invalid', fields]);
    expect(status).toMatchObject({ kind: 'Status', status: 'Failure', details: { kind: 'TenantControlPlane', group: 'kamaji.io', name: 'bad' } });
    expect(status.message).toContain(fields[0]);
  });

  const key = { secretReference: { name: 'etcd', namespace: 'kamaji-system', keyPath: 'k' } };
  const authority = { certificate: key, privateKey: key };
  const client = { certificate: key, privateKey: key };
  // prettier-ignore
  it.each<[string, object, string[]]>([
    ['an unknown driver', { driver: 'redis' }, ['spec.driver']],
    ['no endpoint', { endpoints: [] }, ['spec.endpoints']],
    ['an endpoint with a scheme', { endpoints: ['https://etcd:2379'] }, ['spec.endpoints[0]']],
    ['an endpoint without a port', { endpoints: ['etcd'] }, ['spec.endpoints[0]']],
    ['no credentials', { tlsConfig: undefined }, ['spec.tlsConfig']],
    ['no key of the authority', { tlsConfig: { certificateAuthority: { certificate: key }, clientCertificate: client } }, ['spec.tlsConfig.certificateAuthority.privateKey']],
    ['no client certificate', { tlsConfig: { certificateAuthority: authority } }, ['spec.tlsConfig.clientCertificate']],
    ['a reference that says nothing', { tlsConfig: { certificateAuthority: { ...authority, certificate: {} }, clientCertificate: client } }, ['spec.tlsConfig.certificateAuthority.certificate']],
    ['a Secret without a namespace', { tlsConfig: { certificateAuthority: authority, clientCertificate: { ...client, privateKey: { secretReference: { name: 'etcd', keyPath: 'k' } } } } }, ['spec.tlsConfig.clientCertificate.privateKey.secretReference.namespace']],
    ['a database without credentials', { driver: 'PostgreSQL', tlsConfig: undefined }, ['spec']],
  ])('DataStore: %s', async (_, spec, fields) => {
    const answer = await post(dataStores, dataStoreObject('bad', spec));
    const status = answer.json() as Status;
    expect([answer.code, status.reason, fieldsOf(status)]).toEqual([422, 'Invalid', fields]);
  });

  // prettier-ignore
  it.each<[string, object, string[]]>([
    ['a user from both places', { user: { stringValue: 'a', fromDefinition: 'metadata.name' } }, ['spec.user']],
    ['a user from nowhere', { user: {} }, ['spec.user']],
    ['no user', {}, ['spec.user']],
    ['a group from both places', { user: { stringValue: 'a' }, groups: [{ stringValue: 'g', fromDefinition: 'metadata.name' }] }, ['spec.groups[0]']],
    ['a selector that is none', { user: { stringValue: 'a' }, namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Like' }] } }, ['spec.namespaceSelector.matchExpressions[0].operator']],
  ])('KubeconfigGenerator: %s', async (_, spec, fields) => {
    const body = { apiVersion: 'kamaji.io/v1alpha1', kind: 'KubeconfigGenerator', metadata: { name: 'bad' }, spec };
    const answer = await post(generators, body);
    const status = answer.json() as Status;
    expect([answer.code, status.reason, fieldsOf(status)]).toEqual([422, 'Invalid', fields]);
  });

  // prettier-ignore
  it.each<[string, object, string[]]>([
    ['a name that is none', { name: 'Not A Name' }, ['metadata.name']],
    ['no name', { name: undefined }, ['metadata.name']],
    ['a label that is none', { labels: { 'a b': 'c' } }, ['metadata.labels']],
    ['annotations of more than 256 KiB', { annotations: { a: 'x'.repeat(256 * 1024) } }, ['metadata.annotations']],
    ['an owner without a uid', { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p' }] }, ['metadata.ownerReferences.uid']],
    ['a finalizer that is none', { finalizers: ['a b'] }, ['metadata.finalizers']],
  ])('metadata: %s', async (_, metadata, fields) => {
    const answer = await post(tenants, tenantObject('bad', {}, metadata));
    expect(answer.code).toBe(422);
    expect(fieldsOf(answer.json() as Status)).toEqual(expect.arrayContaining(fields));
  });

  it.each([
    ['skips a minor', { spec: { kubernetes: { version: 'v1.36.0' } } }, 'v1.34.0'],
    ['goes down', { spec: { kubernetes: { version: 'v1.33.9' } } }, 'v1.34.0'],
  ])('a version that %s', async (_, change, from) => {
    await api.read(tenants, { method: 'POST', body: tenantObject('aging', version(from)) });
    before = await revision();
    const answer = await patch('aging', change);
    const status = answer.json() as Status;
    expect([answer.code, fieldsOf(status)]).toEqual([422, ['spec.kubernetes.version']]);
    expect(await revision()).toBe(before);
    await api.read(`${tenants}/aging`, { method: 'DELETE' });
    before = await revision();
  });

  it.each([
    ['the service network', network({ serviceCidrs: ['10.97.0.0/16'], dnsServiceIPs: ['10.97.0.10'] })],
    ['the cluster domain', network({ clusterDomain: 'other.local' })],
    ['the algorithm', { kubernetes: { encryptionAlgorithm: 'RSA-2048' } }],
  ])('a change of what cannot change: %s', async (_, spec) => {
    const answer = await patch('good', { spec });
    expect([answer.code, (answer.json() as Status).reason]).toEqual([422, 'Invalid']);
  });
});

describe('fields that are not known', () => {
  const body = (name: string): object =>
    tenantObject(name, { colour: 'blue', kubernetes: { version: 'v1.36.1', colour: 'red' } });

  it('are refused where that is asked for, in creates and in patches', async () => {
    const answer = await post(`${tenants}?fieldValidation=Strict`, body('strict'));
    expect([answer.code, (answer.json() as Status).reason]).toEqual([400, 'BadRequest']);
    expect((answer.json() as Status).message).toContain(
      'strict decoding error: unknown field "spec.colour", unknown field "spec.kubernetes.colour"',
    );
    const patched = await api.ask(`${tenants}/good?fieldValidation=Strict`, {
      method: 'PATCH',
      headers: mergePatch,
      body: { spec: { colour: 'blue' } },
    });
    expect([patched.code, fieldsOf(patched.json() as Status)]).toEqual([422, ['patch']]);
  });

  it.each(['Warn', ''])('are left out with a warning (%s)', async (validation) => {
    const name = `warn${validation.length}`;
    const answer = await post(`${tenants}?fieldValidation=${validation}`, body(name));
    expect(answer.code).toBe(201);
    expect(answer.headers['warning']).toContain('299 - "unknown field \\"spec.colour\\""');
    expect(answer.text).not.toContain('colour');
  });

  it('are left out in silence where that is asked for', async () => {
    const answer = await post(`${tenants}?fieldValidation=Ignore`, body('ignore'));
    expect([answer.code, answer.headers['warning']]).toEqual([201, undefined]);
    expect(answer.text).not.toContain('colour');
  });

  it('and an unknown way to treat them is refused', async () => {
    const answer = await post(`${tenants}?fieldValidation=Maybe`, body('maybe'));
    expect([answer.code, fieldsOf(answer.json() as Status)]).toEqual([422, ['fieldValidation']]);
  });
});

describe('one schema for two tenants', () => {
  it.each([
    ['dataStoreSchema', 'spec.dataStoreSchema'],
    ['dataStoreUsername', 'spec.dataStoreUsername'],
  ])('%s: of six that come at the same moment one gets it', async (property, field) => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        post(tenants, tenantObject(`race-${property.toLowerCase()}-${index}`, { [property]: 'contested' })),
      ),
    );
    const refused = answers.filter(({ code }) => code !== 201);
    expect(refused).toHaveLength(5);
    for (const answer of refused) {
      const status = answer.json() as Status;
      expect([answer.code, status.reason, fieldsOf(status)]).toEqual([422, 'Invalid', [field]]);
    }
    const { items } = await api.read<KubeList<TenantControlPlane>>(tenants);
    expect(items.filter(({ metadata }) => metadata.name?.startsWith(`race-${property.toLowerCase()}`))).toHaveLength(1);
  });

  it('is free again when its tenant is gone', async () => {
    const first = await post(tenants, tenantObject('first', { dataStoreSchema: 'passed-on' }));
    expect(first.code).toBe(201);
    expect((await post(tenants, tenantObject('second', { dataStoreSchema: 'passed-on' }))).code).toBe(422);
    await api.read(`${tenants}/first`, { method: 'DELETE' });
    expect((await post(tenants, tenantObject('second', { dataStoreSchema: 'passed-on' }))).code).toBe(201);
  });
});

describe('a body that is made to hurt', () => {
  let before: string | undefined;
  beforeAll(async () => {
    before = await revision();
  });

  const deep = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);
  const withValue = (text: string): string => {
    const holder = { kubelet: { configurationJSONPatches: [{ op: 'add', path: '/a', value: 'HERE' }] } };
    return JSON.stringify(tenantObject('bad', { kubernetes: { version: 'v1.36.1', ...holder } })).replace(
      '"HERE"',
      text,
    );
  };
  const laughs = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'
      .split('')
      .map(
        (name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[index]}`).join(',')}]`,
      ),
  ].join('\n');

  // prettier-ignore
  it.each<[string, string, object, string | (() => string), number[]]>([
    ['10,000 levels of objects', 'POST', json, () => deep(10_000), [400]],
    ['10,000 levels of lists', 'POST', json, () => '['.repeat(10_000) + ']'.repeat(10_000), [400]],
    ['500,000 levels that never end', 'POST', json, () => '['.repeat(500_000), [400]],
    ['10,000 levels where anything may be', 'POST', json, () => withValue(deep(10_000)), [400]],
    ['10,000 levels in a patch', 'PATCH', mergePatch, () => deep(10_000), [400]],
    ['10,000 levels in an operation', 'PATCH', jsonPatch, () => `[{"op":"add","path":"/spec","value":${deep(10_000)}}]`, [400]],
    ['10,000 levels of YAML', 'POST', yaml, () => '['.repeat(10_000) + ']'.repeat(10_000), [400]],
    ['3 MiB and one byte', 'POST', json, () => `"${'x'.repeat(3 * 2 ** 20 - 1)}"`, [413]],
    ['3 MiB and one byte in a patch', 'PATCH', mergePatch, () => `"${'x'.repeat(3 * 2 ** 20 - 1)}"`, [413]],
    ['3 MiB of keys', 'POST', json, () => `{${Array.from({ length: 200_000 }, (_, i) => `"k${i}":1`).join(',')}}`, [400]],
    ['much YAML', 'POST', yaml, () => 'a: b\n'.repeat(100_000), [400, 413]],
    ['YAML that unfolds to a billion', 'POST', yaml, laughs, [400]],
    ['YAML that holds itself', 'POST', yaml, 'a: &a [*a]', [400]],
    ['a YAML tag that would run code', 'POST', yaml, 'a: !!js/function "function(){}"', [400]],
    ['broken JSON', 'POST', json, '{"kind": "TenantControlPlane"', [400]],
    ['broken YAML', 'POST', yaml, 'kind: [', [400]],
    ['nothing', 'POST', json, '', [400]],
    ['null', 'POST', json, 'null', [400]],
    ['bytes that are no text', 'POST', json, '\u0000\u0001', [400]],
    ['a number beyond all numbers', 'POST', json, () => withValue('1e999'), [400, 422]],
    ['half a surrogate pair', 'POST', json, () => JSON.stringify(tenantObject('bad', { dataStoreSchema: 'X' })).replace('"X"', String.raw`"\ud800"`), [400, 422]],
    ['an operation that copies itself until it is huge', 'PATCH', jsonPatch, () => JSON.stringify([{ op: 'add', path: '/metadata/annotations', value: { a: 'x'.repeat(1_000) } }, ...Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/metadata', path: `/metadata/annotations/n${i}` }))]), [413, 422]],
  ])('%s', async (_, method, headers, body, codes) => {
    const path = method === 'POST' ? tenants : `${tenants}/good`;
    const text = typeof body === 'string' ? body : body();
    const answer = await api.ask(path, { method, headers: { ...headers }, body: text });
    expect(codes).toContain(answer.code);
    expect((answer.json() as Status).status).toBe('Failure');
  });

  it('a client that is still writing is told that it is too much', async () => {
    const body = 'x'.repeat(8 * 2 ** 20);
    for (let round = 0; round < 10; round++) expect((await post(tenants, body)).code).toBe(413);
  });

  it('the same key twice is refused, or the last one counts and a warning says so', async () => {
    const text = JSON.stringify(tenantObject('twice')).replace('"replicas":1', '"replicas":1,"replicas":2');
    const strict = await post(`${tenants}?fieldValidation=Strict`, text);
    expect(strict.code).toBe(400);
    expect((strict.json() as Status).message).toContain('duplicate field "spec.controlPlane.deployment.replicas"');
    const lenient = await post(`${tenants}?dryRun=All`, text);
    expect(lenient.headers['warning']).toContain('duplicate field \\"spec.controlPlane.deployment.replicas\\"');
    expect((lenient.json() as TenantControlPlane).spec.controlPlane.deployment.replicas).toBe(2);
  });

  it('names that are special to JavaScript are names like others', async () => {
    const evil = '{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}';
    const created = await post(tenants, `${evil},${JSON.stringify(tenantObject('proto')).slice(1)}`);
    expect(created.code).toBe(201);
    const named = await patch('proto', '{"metadata":{"labels":{"__proto__":"a"}}}');
    // As kube-apiserver, which judges the metadata of a custom resource three times.
    expect([named.code, new Set(fieldsOf(named.json() as Status))]).toEqual([422, new Set(['metadata.labels'])]);
    const labels = { constructor: 'b', toString: 'c' };
    const labelled = (await patch('proto', { metadata: { labels } })).json() as TenantControlPlane;
    expect(Object.entries(labelled.metadata.labels ?? {})).toEqual(Object.entries(labels));
    for (const path of [
      '/__proto__/polluted',
      '/constructor/prototype/polluted',
      '/spec/__proto__/polluted',
      '/metadata/labels/__proto__/polluted',
    ]) {
      const answer = await patch('proto', [{ op: 'add', path, value: 'yes' }], jsonPatch);
      expect(answer.code).toBe(422);
    }
    for (const text of [`${evil}}`, `{"spec":${evil}}}`, '{"metadata":{"__proto__":{"polluted":"yes"}}}']) {
      expect((await patch('proto', text)).code).toBe(200);
    }
    // Another object, made afterwards, has nothing of it.
    const clean = await post(`${tenants}?dryRun=All`, tenantObject('clean'));
    for (const text of [clean.text, (await api.ask(tenants)).text]) expect(text).not.toContain('polluted');
    await api.read(`${tenants}/proto`, { method: 'DELETE' });
  });

  it('leaves the server as it was: the same process, nothing stored, no more memory than it should have', async () => {
    expect(server.pid()).toBe(pid);
    const names = (await api.read<KubeList>(tenants)).items.map(({ metadata }) => metadata.name);
    expect(names).not.toContain('bad');
    // The tenant with the special names was created, changed and deleted; nothing else was written.
    expect(Number(await revision()) - Number(before)).toBeLessThanOrEqual(3);
    expect(await megabytes()).toBeLessThan(400);
    expect((await own.ask('/readyz')).code).toBe(200);
  });
});

describe('many at once', () => {
  it('500 refused objects cost no memory that stays', async () => {
    const refuse = async (): Promise<void> => {
      const body = tenantObject('bad', {
        dataStoreSchema: '../x',
        networkProfile: { certSANs: Array.from({ length: 500 }, (_, i) => `bad name ${i}`) },
      });
      const codes = await Promise.all(
        Array.from({ length: 50 }, async () => (await own.ask(tenants, { method: 'POST', body })).code),
      );
      expect(new Set(codes)).toEqual(new Set([422]));
    };
    for (let round = 0; round < 3; round++) await refuse();
    const warm = await megabytes();
    for (let round = 0; round < 7; round++) await refuse();
    expect(await megabytes()).toBeLessThan(warm + 100);
  });
});
