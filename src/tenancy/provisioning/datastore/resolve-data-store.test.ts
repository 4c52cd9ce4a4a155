import { beforeAll, describe, expect, it } from 'vitest';
import type { CertificateAndKey } from '../../../pki/certificate-and-key.ts';
import { parseCertificate } from '../../../pki/inspect.ts';
import { createCertificateAuthority, issueCertificate, openAuthority } from '../../../pki/issue.ts';
import type { ContentRef, DataStore, DataStoreSpec } from '../../api/data-store.ts';
import { DataStoreError } from './data-store-error.ts';
import { referencedSecrets, resolveDataStore, type ReadSecret } from './resolve-data-store.ts';

const now = new Date('2026-06-01T00:00:00Z');
const later = new Date('2046-06-01T00:00:00Z');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let ca: CertificateAndKey;
let oldCa: CertificateAndKey;
let client: CertificateAndKey;

beforeAll(async () => {
  ca = await createCertificateAuthority({ subject: { commonName: 'ca' }, now });
  oldCa = await createCertificateAuthority({ subject: { commonName: 'old' }, now });
  client = await issueCertificate(openAuthority(ca), { subject: { commonName: 'root' }, usages: ['client'] }, now);
});

const inSecret = (keyPath: string): ContentRef => ({
  secretReference: { name: 'etcd', namespace: 'kamaji-system', keyPath },
});
const inPlace = (text: string): ContentRef => ({ content: base64(text) });

function dataStore(
  tlsConfig?: Partial<NonNullable<DataStoreSpec['tlsConfig']>>,
  spec?: Partial<DataStoreSpec>,
): DataStore {
  return {
    apiVersion: 'kamaji.io/v1alpha1',
    kind: 'DataStore',
    metadata: { name: 'default' },
    spec: {
      driver: 'etcd',
      endpoints: ['etcd.kamaji-system.svc:2379'],
      tlsConfig: {
        certificateAuthority: { certificate: inSecret('ca.crt'), privateKey: inSecret('ca.key') },
        clientCertificate: { certificate: inSecret('tls.crt'), privateKey: inSecret('tls.key') },
        ...tlsConfig,
      },
      ...spec,
    },
  };
}

function secrets(data?: Record<string, string>): ReadSecret {
  return (namespace, name) =>
    Promise.resolve(
      namespace === 'kamaji-system' && name === 'etcd'
        ? {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name, namespace },
            data: {
              'ca.crt': base64(ca.certificate),
              'ca.key': base64(ca.key),
              'tls.crt': base64(client.certificate),
              'tls.key': base64(client.key),
              ...data,
            },
          }
        : undefined,
    );
}

async function refusal(store: DataStore, readSecret = secrets(), at = now): Promise<DataStoreError> {
  const error: unknown = await resolveDataStore(store, readSecret, at).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DataStoreError);
  return error as DataStoreError;
}

describe('resolveDataStore', () => {
  it('reads Secrets', async () => {
    expect(await resolveDataStore(dataStore(), secrets(), now)).toEqual({
      dataStoreName: 'default',
      driver: 'etcd',
      endpoints: ['etcd.kamaji-system.svc:2379'],
      tls: { caCertificate: ca.certificate, client: { certificate: client.certificate, key: client.key } },
      signingAuthority: { certificate: ca.certificate.trim(), key: ca.key },
    });
  });

  it('prefers content to a Secret', async () => {
    const store = dataStore({
      certificateAuthority: {
        certificate: { ...inPlace(ca.certificate), secretReference: { name: 'gone', namespace: 'x', keyPath: 'y' } },
        privateKey: inPlace(ca.key),
      },
    });
    expect((await resolveDataStore(store, secrets(), now)).signingAuthority?.key).toBe(ca.key);
  });

  it('finds the signing authority in a bundle and trusts all of it', async () => {
    const bundle = `${oldCa.certificate}\n# the new one\n${ca.certificate}`;
    const resolved = await resolveDataStore(dataStore(), secrets({ 'ca.crt': base64(bundle) }), now);
    expect(resolved.tls?.caCertificate).toBe(bundle);
    expect(openAuthority(resolved.signingAuthority!).certificate.x509.fingerprint256).toBe(
      parseCertificate(ca.certificate).x509.fingerprint256,
    );
  });

  it.each([
    ['ca.crt', base64('rubbish'), 'CredentialInvalid', 'spec.tlsConfig.certificateAuthority.certificate'],
    ['ca.key', base64('rubbish'), 'CredentialInvalid', 'spec.tlsConfig.certificateAuthority.privateKey'],
    ['tls.crt', base64('rubbish'), 'CredentialInvalid', 'spec.tlsConfig.clientCertificate.certificate'],
    ['tls.key', base64('rubbish'), 'CredentialInvalid', 'spec.tlsConfig.clientCertificate.privateKey'],
    ['tls.key', '*', 'ConfigurationInvalid', 'not valid base64'],
    ['tls.key', '', 'SecretKeyNotFound', 'Secret kamaji-system/etcd is empty at key "tls.key"'],
  ])('refuses %s holding %j', async (key, value, code, text) => {
    const error = await refusal(dataStore(), secrets({ [key]: value }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
    expect(error.message).toContain(`"${key}"`);
    expect(error.message).not.toMatch(/rubbish|PRIVATE|BEGIN/);
  });

  it('refuses a key that belongs to something else, without showing it', async () => {
    const wrongCa = await refusal(dataStore(), secrets({ 'ca.key': base64(oldCa.key) }));
    expect(wrongCa).toMatchObject({ code: 'CredentialInvalid' });
    expect(wrongCa.message).toContain('spec.tlsConfig.certificateAuthority.privateKey');
    const wrongClient = await refusal(dataStore(), secrets({ 'tls.key': base64(ca.key) }));
    expect(wrongClient.message).toContain('spec.tlsConfig.clientCertificate.privateKey');
    expect(wrongCa.message + wrongClient.message).not.toContain('BEGIN');
  });

  it('refuses a leaf as authority', async () => {
    const leaf = { 'ca.crt': base64(client.certificate), 'ca.key': base64(client.key) };
    expect(await refusal(dataStore(), secrets(leaf))).toMatchObject({ code: 'CredentialInvalid' });
  });

  it('refuses what has expired', async () => {
    const error = await refusal(dataStore(), secrets(), later);
    expect(error.code).toBe('CredentialInvalid');
    expect(error.message).toContain('has expired at');
  });

  it('names a Secret or a key that is not there', async () => {
    const noSecret = await refusal(
      dataStore({
        clientCertificate: {
          certificate: { secretReference: { name: 'nope', namespace: 'kamaji-system', keyPath: 'tls.crt' } },
          privateKey: inSecret('tls.key'),
        },
      }),
    );
    expect(noSecret).toMatchObject({
      code: 'SecretNotFound',
      terminal: false,
      message: 'spec.tlsConfig.clientCertificate.certificate: there is no Secret kamaji-system/nope',
    });
    const noKey = await refusal(
      dataStore({ clientCertificate: { certificate: inSecret('constructor'), privateKey: inSecret('tls.key') } }),
    );
    expect(noKey).toMatchObject({
      code: 'SecretKeyNotFound',
      message: 'spec.tlsConfig.clientCertificate.certificate: Secret kamaji-system/etcd has no key "constructor"',
    });
  });

  it.each([
    ['no namespace', { secretReference: { name: 'etcd', keyPath: 'x' } }, 'secretReference.namespace'],
    ['no name', { secretReference: { namespace: 'x', keyPath: 'x' } }, 'secretReference.name'],
    ['nothing', {}, 'spec.tlsConfig.clientCertificate.certificate: is required'],
  ])('refuses a reference with %s', async (_, certificate, text) => {
    const error = await refusal(dataStore({ clientCertificate: { certificate, privateKey: inSecret('tls.key') } }));
    expect(error.code).toBe('ConfigurationInvalid');
    expect(error.message).toContain(text);
  });

  it('asks for what etcd needs', async () => {
    const bare = dataStore({ certificateAuthority: { certificate: inSecret('ca.crt') } });
    expect((await refusal(bare)).message).toBe(
      'spec.tlsConfig.certificateAuthority.privateKey: is required for driver etcd',
    );
    const { tlsConfig: _, ...spec } = dataStore().spec;
    expect((await refusal({ ...dataStore(), spec })).message).toContain('spec.tlsConfig.clientCertificate');
  });

  it('refuses endpoints that are none, and unsupported drivers', async () => {
    expect((await refusal(dataStore({}, { endpoints: ['https://etcd'] }))).message).toContain('spec.endpoints[0]');
    expect((await refusal(dataStore({}, { endpoints: [] }))).code).toBe('ConfigurationInvalid');
    expect(await refusal(dataStore({}, { driver: 'NATS' }))).toMatchObject({
      code: 'DriverNotSupported',
      terminal: true,
    });
  });

  it('passes on why a Secret could not be read', async () => {
    const failure = new Error('the API is away');
    await expect(resolveDataStore(dataStore(), () => Promise.reject(failure), now)).rejects.toBe(failure);
  });
});

it('lists the Secrets to watch, each once', () => {
  const store = dataStore({
    certificateAuthority: {
      certificate: { ...inPlace('x'), secretReference: { name: 'unused', namespace: 'x', keyPath: 'y' } },
      privateKey: { secretReference: { name: 'ca', namespace: 'x', keyPath: 'y' } },
    },
  });
  expect(referencedSecrets(store.spec)).toEqual([
    { namespace: 'x', name: 'ca' },
    { namespace: 'kamaji-system', name: 'etcd' },
  ]);
});
