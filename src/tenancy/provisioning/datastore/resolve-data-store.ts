import type { CertificateAndKey } from '../../../pki/certificate-and-key.ts';
import { matchesKey, parseCertificate, type InspectedCertificate } from '../../../pki/inspect.ts';
import { PkiError } from '../../../pki/pki-error.ts';
import type { KubeObject } from '../../../apimachinery/object.ts';
import type { ContentRef, DataStore, DataStoreSpec } from '../../api/data-store.ts';
import { DataStoreError } from './data-store-error.ts';
import type { DataStoreConnection } from './driver.ts';
import { supportedDriver } from './drivers.ts';
import { parseEndpoint } from './endpoints.ts';

/** The part of a Secret that is read here. Values are base64. */
export interface SecretData extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Answers undefined when there is no such Secret. */
export type ReadSecret = (namespace: string, name: string) => Promise<SecretData | undefined>;

export interface SecretKeyReference {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Gathers what is needed to connect to a DataStore and to issue certificates for its tenants. `now` is compared with
 * the expiry of the certificates.
 * Throws DataStoreError DriverNotSupported, ConfigurationInvalid, SecretNotFound, SecretKeyNotFound or CredentialInvalid,
 * whose message names the field and the Secret's key, never content. What `readSecret` throws passes through.
 */
export async function resolveDataStore(
  dataStore: DataStore,
  readSecret: ReadSecret,
  now: Date,
): Promise<DataStoreConnection> {
  const { spec } = dataStore;
  const driver = supportedDriver(spec.driver);
  spec.endpoints.forEach((endpoint, index) => parseEndpoint(endpoint, `spec.endpoints[${index}]`));
  if (spec.endpoints.length === 0) {
    throw new DataStoreError('ConfigurationInvalid', 'spec.endpoints: at least one is needed');
  }
  const read = (ref: ContentRef | undefined, field: string): Promise<Content | undefined> =>
    readContent(ref, field, readSecret);
  const tls = await readTls(spec, read, now);
  if (driver.capabilities.clientCertificates.supported) {
    requireField(tls?.client, 'spec.tlsConfig.clientCertificate', spec.driver);
    requireField(tls?.signingAuthority, 'spec.tlsConfig.certificateAuthority.privateKey', spec.driver);
  }
  const username = await read(spec.basicAuth?.username, 'spec.basicAuth.username');
  const password = await read(spec.basicAuth?.password, 'spec.basicAuth.password');
  return {
    dataStoreName: dataStore.metadata.name ?? '',
    driver: spec.driver,
    endpoints: spec.endpoints,
    ...(tls && { tls: { caCertificate: tls.caCertificate, ...(tls.client && { client: tls.client }) } }),
    ...(tls?.signingAuthority && { signingAuthority: tls.signingAuthority }),
    ...(username && password && { basicAuth: { username: username.text, password: password.text } }),
  };
}

/** The Secrets that a DataStore refers to, each once: whoever caches a resolved DataStore watches these. */
export function referencedSecrets(spec: DataStoreSpec): readonly SecretKeyReference[] {
  const refs = [
    spec.basicAuth?.username,
    spec.basicAuth?.password,
    spec.tlsConfig?.certificateAuthority.certificate,
    spec.tlsConfig?.certificateAuthority.privateKey,
    spec.tlsConfig?.clientCertificate?.certificate,
    spec.tlsConfig?.clientCertificate?.privateKey,
  ];
  const found = new Map<string, SecretKeyReference>();
  for (const ref of refs) {
    const { namespace = '', name = '' } = ref?.secretReference ?? {};
    if (namespace === '' || name === '' || isGiven(ref?.content)) continue;
    found.set(`${namespace}/${name}`, { namespace, name });
  }
  return [...found.values()];
}

interface Content {
  readonly text: string;
  /** Where it came from, for messages: the field, and the Secret's key if it is one. */
  readonly source: string;
}

type ReadContent = (ref: ContentRef | undefined, field: string) => Promise<Content | undefined>;

async function readTls(spec: DataStoreSpec, read: ReadContent, now: Date) {
  const config = spec.tlsConfig;
  if (config === undefined) return undefined;
  const authorityField = 'spec.tlsConfig.certificateAuthority';
  const ca = await read(config.certificateAuthority.certificate, `${authorityField}.certificate`);
  if (ca === undefined) throw missing(`${authorityField}.certificate`);
  const bundle = splitBundle(ca.text).map((pem) => inspect({ ...ca, text: pem }));
  if (bundle.length === 0) throw invalid(ca.source, 'holds no PEM certificate');
  const caKey = await read(config.certificateAuthority.privateKey, `${authorityField}.privateKey`);
  const signingAuthority = caKey && pickAuthority(bundle, ca, caKey, now);

  const clientField = 'spec.tlsConfig.clientCertificate';
  const certificate = await read(config.clientCertificate?.certificate, `${clientField}.certificate`);
  const key = await read(config.clientCertificate?.privateKey, `${clientField}.privateKey`);
  if (config.clientCertificate !== undefined && certificate === undefined) throw missing(`${clientField}.certificate`);
  if (config.clientCertificate !== undefined && key === undefined) throw missing(`${clientField}.privateKey`);
  const client = certificate && key && checkPair(inspect(certificate), certificate, key, now);
  return { caCertificate: ca.text, client, signingAuthority };
}

/** The certificate of the bundle that the key belongs to. */
function pickAuthority(bundle: readonly Inspected[], ca: Content, key: Content, now: Date): CertificateAndKey {
  const match = bundle.find((candidate) => belongs(candidate.certificate, key));
  if (match === undefined) throw invalid(key.source, `does not belong to a certificate in ${ca.source}`);
  if (!match.certificate.isAuthority) throw invalid(ca.source, 'is no certificate of a certificate authority');
  return checkPair(match, ca, key, now);
}

interface Inspected {
  readonly pem: string;
  readonly certificate: InspectedCertificate;
}

function checkPair({ pem, certificate }: Inspected, source: Content, key: Content, now: Date): CertificateAndKey {
  if (!belongs(certificate, key)) throw invalid(key.source, `does not belong to the certificate in ${source.source}`);
  if (certificate.notAfter <= now) throw invalid(source.source, `has expired at ${certificate.notAfter.toISOString()}`);
  return { certificate: pem, key: key.text };
}

function inspect(content: Content): Inspected {
  try {
    return { pem: content.text, certificate: parseCertificate(content.text) };
  } catch (error) {
    if (error instanceof PkiError) throw invalid(content.source, 'is not valid PEM of a certificate');
    throw error;
  }
}

function belongs(certificate: InspectedCertificate, key: Content): boolean {
  try {
    return matchesKey(certificate, key.text);
  } catch (error) {
    if (error instanceof PkiError) throw invalid(key.source, 'is not valid PEM of an unencrypted private key');
    throw error;
  }
}

function splitBundle(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
}

async function readContent(
  ref: ContentRef | undefined,
  field: string,
  readSecret: ReadSecret,
): Promise<Content | undefined> {
  if (ref === undefined) return undefined;
  if (isGiven(ref.content)) return { text: decode(ref.content, `${field}.content`), source: `${field}.content` };
  const reference = ref.secretReference;
  if (reference === undefined) throw missing(field);
  const { name = '', namespace = '', keyPath } = reference;
  if (name === '') throw missing(`${field}.secretReference.name`);
  // A DataStore has no namespace of its own that could be meant.
  if (namespace === '') throw missing(`${field}.secretReference.namespace`);
  const secret = await readSecret(namespace, name);
  if (secret === undefined) {
    throw new DataStoreError('SecretNotFound', `${field}: there is no Secret ${namespace}/${name}`);
  }
  const data = secret.data ?? {};
  const value = Object.hasOwn(data, keyPath) ? data[keyPath] : undefined;
  if (value === undefined || value === '') {
    const what = value === undefined ? 'has no key' : 'is empty at key';
    throw new DataStoreError(
      'SecretKeyNotFound',
      `${field}: Secret ${namespace}/${name} ${what} ${JSON.stringify(keyPath)}`,
    );
  }
  const source = `${field} (Secret ${namespace}/${name}, key ${JSON.stringify(keyPath)})`;
  return { text: decode(value, source), source };
}

function isGiven(content: string | undefined): content is string {
  return content !== undefined && content !== '';
}

function decode(base64: string, source: string): string {
  const compact = base64.replaceAll(/\s+/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) {
    throw new DataStoreError('ConfigurationInvalid', `${source}: is not valid base64`);
  }
  return Buffer.from(compact, 'base64').toString('utf8');
}

function requireField(value: unknown, field: string, driver: string): void {
  if (value === undefined)
    throw new DataStoreError('ConfigurationInvalid', `${field}: is required for driver ${driver}`);
}

function missing(field: string): DataStoreError {
  return new DataStoreError('ConfigurationInvalid', `${field}: is required`);
}

function invalid(source: string, what: string): DataStoreError {
  return new DataStoreError('CredentialInvalid', `${source}: ${what}`);
}
