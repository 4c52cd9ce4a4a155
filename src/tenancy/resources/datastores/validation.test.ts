import { expect, test } from 'vitest';
import { formatFieldError } from '../../../apimachinery/field-error.ts';
import type { JsonObject } from '../../../apimachinery/object.ts';
import { applyDefaults } from '../../../apimachinery/schema/defaulting.ts';
import { validate } from '../../../apimachinery/schema/validation.ts';
import { dataStore } from '../../api/data-store.ts';
import type { DataStore } from '../../api/data-store.ts';
import { validateDataStore, validateDataStoreUpdate } from './validation.ts';

const key = (keyPath: string): JsonObject => ({ secretReference: { name: 'etcd', namespace: 'kamaji', keyPath } });
const authority = { certificate: key('ca.crt'), privateKey: key('ca.key') };
const client = { certificate: key('tls.crt'), privateKey: key('tls.key') };
const tls = { certificateAuthority: authority, clientCertificate: client };
const etcd = { driver: 'etcd', endpoints: ['etcd.kamaji.svc:2379'], tlsConfig: tls };

function store(spec: JsonObject, metadata: JsonObject = {}): DataStore {
  return applyDefaults(dataStore, {
    apiVersion: 'kamaji.io/v1alpha1',
    kind: 'DataStore',
    metadata,
    spec,
  } as unknown as DataStore);
}

function findings(spec: JsonObject): readonly string[] {
  const object = store(spec);
  const errors = validate(dataStore, object);
  return (errors.length > 0 ? errors : validateDataStore(object)).map(formatFieldError);
}

// prettier-ignore
const accepted: readonly (readonly [string, JsonObject])[] = [
  ['etcd', etcd],
  ['etcd with addresses', { ...etcd, endpoints: ['192.0.2.1:2379', '[2001:db8::1]:2379'] }],
  ['content in place', { ...etcd, tlsConfig: { ...tls, certificateAuthority: { certificate: { content: 'YQ==' }, privateKey: { content: 'YQ==' } } } }],
  ['PostgreSQL with a password', { driver: 'PostgreSQL', endpoints: ['pg:5432'], basicAuth: { username: key('user'), password: key('password') } }],
  ['MySQL with TLS', { driver: 'MySQL', endpoints: ['my:3306'], tlsConfig: { certificateAuthority: { certificate: key('ca.crt') } } }],
];

test.each(accepted)('accepted: %s', (_, spec) => expect(findings(spec)).toEqual([]));

// prettier-ignore
const refused: readonly (readonly [string, JsonObject, readonly string[]])[] = [
  ['nothing', {}, ['spec.driver: Required value', 'spec.endpoints: Required value']],
  ['an unknown driver', { ...etcd, driver: 'redis' }, ['spec.driver: Unsupported value: "redis": supported values: "etcd", "MySQL", "PostgreSQL", "NATS"']],
  ['no endpoint', { ...etcd, endpoints: [] }, ['spec.endpoints: Invalid value: 0: spec.endpoints in body should have at least 1 items']],
  ['an endpoint with a scheme', { ...etcd, endpoints: ['https://etcd:2379'] }, ['spec.endpoints[0]: Invalid value: "https://etcd:2379": must be host:port without a scheme, such as etcd.example.org:2379']],
  ['an endpoint without port', { ...etcd, endpoints: ['etcd'] }, ['spec.endpoints[0]: Invalid value: "etcd": must be host:port, such as etcd.example.org:2379']],
  ['an endpoint with port 0', { ...etcd, endpoints: ['etcd:0'] }, ['spec.endpoints[0]: Invalid value: "etcd:0": must be host:port, such as etcd.example.org:2379']],
  ['an endpoint with IPv6 and no brackets', { ...etcd, endpoints: ['2001:db8::1:2379'] }, ['spec.endpoints[0]: Invalid value: "2001:db8::1:2379": must be host:port, such as etcd.example.org:2379']],
  ['an endpoint twice', { ...etcd, endpoints: ['etcd:2379', 'etcd:2379'] }, ['spec.endpoints[1]: Duplicate value: "etcd:2379"']],
  ['etcd without TLS', { driver: 'etcd', endpoints: ['etcd:2379'] }, ['spec.tlsConfig: Required value: driver etcd needs it']],
  ["etcd without the authority's key", { ...etcd, tlsConfig: { ...tls, certificateAuthority: { certificate: key('ca.crt') } } }, ['spec.tlsConfig.certificateAuthority.privateKey: Required value: driver etcd needs it']],
  ['etcd without client certificate', { ...etcd, tlsConfig: { certificateAuthority: authority } }, ['spec.tlsConfig.clientCertificate: Required value: driver etcd needs it']],
  ['an empty key', { ...etcd, tlsConfig: { ...tls, clientCertificate: { ...client, privateKey: {} } } }, ['spec.tlsConfig.clientCertificate.privateKey: Required value: content or secretReference must be given']],
  ['a reference without names', { ...etcd, tlsConfig: { ...tls, clientCertificate: { ...client, privateKey: { secretReference: { keyPath: 'k' } } } } }, [
    'spec.tlsConfig.clientCertificate.privateKey.secretReference.name: Required value',
    'spec.tlsConfig.clientCertificate.privateKey.secretReference.namespace: Required value',
  ]],
  ['a reference without key', { ...etcd, tlsConfig: { ...tls, clientCertificate: { ...client, privateKey: { secretReference: { name: 'a', namespace: 'b', keyPath: '' } } } } }, ['spec.tlsConfig.clientCertificate.privateKey.secretReference.keyPath: Invalid value: "": spec.tlsConfig.clientCertificate.privateKey.secretReference.keyPath in body should be at least 1 chars long']],
  ['PostgreSQL with nothing', { driver: 'PostgreSQL', endpoints: ['pg:5432'] }, ['spec: Required value: driver PostgreSQL needs basicAuth, tlsConfig or both']],
  ['a password without user', { driver: 'PostgreSQL', endpoints: ['pg:5432'], basicAuth: { password: key('p') } }, ['spec.basicAuth.username: Required value']],
];

test.each(refused)('refused: %s', (_, spec, expected) => expect(findings(spec)).toEqual(expected));

test('content that is no base64 is refused without being shown', () => {
  const [message, ...more] = findings({
    ...etcd,
    tlsConfig: { ...tls, clientCertificate: { ...client, privateKey: { content: 'hunter2!' } } },
  });
  expect(more).toEqual([]);
  expect(message).toContain('spec.tlsConfig.clientCertificate.privateKey.content: Invalid value');
  expect(message).not.toContain('hunter2');
});

test('the driver never changes', () => {
  const next = { driver: 'PostgreSQL', endpoints: ['pg:5432'], tlsConfig: tls };
  const expected = ['spec.driver: Forbidden: cannot be changed, it is etcd'];
  expect(validateDataStoreUpdate(store(next), store(etcd)).map(formatFieldError)).toEqual(expected);
  const leaving = store(next, { deletionTimestamp: '2026-01-02T03:04:05Z' });
  expect(validateDataStoreUpdate(leaving, store(etcd)).map(formatFieldError)).toEqual(expected);
});

test('no rule stands between an invalid object and its deletion', () => {
  const invalid = { driver: 'etcd', endpoints: ['etcd'] };
  expect(validateDataStoreUpdate(store(invalid), store(invalid, { finalizers: ['a'] }))).toEqual([]);
  const leaving = store({ driver: 'etcd', endpoints: ['other'] }, { deletionTimestamp: '2026-01-02T03:04:05Z' });
  expect(validateDataStoreUpdate(leaving, store(invalid))).toEqual([]);
});
