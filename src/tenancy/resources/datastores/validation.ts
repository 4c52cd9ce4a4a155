import type { FieldError } from '../../../apimachinery/field-error.ts';
import { duplicateValue, forbiddenValue, invalidValue, requiredValue } from '../../../apimachinery/field-error.ts';
import { deepEqual } from '../../../apimachinery/json.ts';
import { checkLabel1123, checkSubdomain1123 } from '../../../apimachinery/names.ts';
import type { ContentRef, DataStore, DataStoreSpec } from '../../api/data-store.ts';
import { hostAndPort } from '../host-validation.ts';

/** Rules that a schema cannot tell. The object has gone through defaulting and satisfies its schema. */
export function validateDataStore({ spec }: DataStore): readonly FieldError[] {
  return [...validateEndpoints(spec.endpoints), ...validateCredentials(spec)];
}

/** An unchanged spec is not looked at again, nor that of an object on its way out, but for what must never change. */
export function validateDataStoreUpdate(next: DataStore, old: DataStore): readonly FieldError[] {
  if (deepEqual(next.spec, old.spec)) return [];
  const driver =
    next.spec.driver === old.spec.driver
      ? []
      : [forbiddenValue('spec.driver', `cannot be changed, it is ${old.spec.driver}`)];
  return next.metadata.deletionTimestamp === undefined ? [...driver, ...validateDataStore(next)] : driver;
}

function validateEndpoints(endpoints: readonly string[]): readonly FieldError[] {
  const seen = new Set<string>();
  return endpoints.flatMap((endpoint, index) => {
    const path = `spec.endpoints[${index}]`;
    if (hostAndPort(endpoint)?.port === undefined) {
      const hint = endpoint.includes('://') ? ' without a scheme' : '';
      return [invalidValue(path, endpoint, `must be host:port${hint}, such as etcd.example.org:2379`)];
    }
    if (seen.has(endpoint)) return [duplicateValue(path, endpoint)];
    seen.add(endpoint);
    return [];
  });
}

/** etcd knows tenants by client certificates that we sign; the others know them by password, over TLS or not. */
function validateCredentials({ driver, tlsConfig, basicAuth }: DataStoreSpec): readonly FieldError[] {
  const authority = 'spec.tlsConfig.certificateAuthority';
  const client = 'spec.tlsConfig.clientCertificate';
  const errors: FieldError[] = [];
  if (driver === 'etcd') {
    const why = 'driver etcd needs it';
    if (tlsConfig === undefined) errors.push(requiredValue('spec.tlsConfig', why));
    else {
      if (tlsConfig.certificateAuthority.privateKey === undefined)
        errors.push(requiredValue(`${authority}.privateKey`, why));
      if (tlsConfig.clientCertificate === undefined) errors.push(requiredValue(client, why));
    }
  } else if (tlsConfig === undefined && basicAuth === undefined) {
    errors.push(requiredValue('spec', `driver ${driver} needs basicAuth, tlsConfig or both`));
  }
  return [
    ...errors,
    ...validateContent(tlsConfig?.certificateAuthority.certificate, `${authority}.certificate`),
    ...validateContent(tlsConfig?.certificateAuthority.privateKey, `${authority}.privateKey`),
    ...validateContent(tlsConfig?.clientCertificate?.certificate, `${client}.certificate`),
    ...validateContent(tlsConfig?.clientCertificate?.privateKey, `${client}.privateKey`),
    ...validateContent(basicAuth?.username, 'spec.basicAuth.username'),
    ...validateContent(basicAuth?.password, 'spec.basicAuth.password'),
  ];
}

function validateContent(content: ContentRef | undefined, path: string): readonly FieldError[] {
  if (content === undefined || (content.content !== undefined && content.content !== '')) return [];
  const reference = content.secretReference;
  if (reference === undefined) return [requiredValue(path, 'content or secretReference must be given')];
  return [
    ...validateReferencePart(reference.name, `${path}.secretReference.name`, checkSubdomain1123),
    ...validateReferencePart(reference.namespace, `${path}.secretReference.namespace`, checkLabel1123),
  ];
}

function validateReferencePart(
  value: string | undefined,
  path: string,
  check: (value: string) => readonly string[],
): readonly FieldError[] {
  if (!value) return [requiredValue(path)];
  return check(value).map((complaint) => invalidValue(path, value, complaint));
}
