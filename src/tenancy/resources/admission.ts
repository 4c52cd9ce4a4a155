import type { FieldError } from '../../apimachinery/field-error.ts';
import { forbiddenValue, invalidValue, requiredValue } from '../../apimachinery/field-error.ts';
import { deepEqual, isJsonObject, valueAt, withValueAt } from '../../apimachinery/json.ts';
import type { KubeObject } from '../../apimachinery/object.ts';
import { newConflict, newInvalid } from '../../apimachinery/status.ts';
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from '../../apiserver/admission/admission.ts';
import type { DataStore } from '../api/data-store.ts';
import { GROUP } from '../api/group.ts';
import type { TenantControlPlane } from '../api/tenant-control-plane.ts';
import { dataStoreUsers } from '../api/tenant-identity.ts';

export interface TenancyAdmissionOptions {
  /** DataStore for tenants that name none; undefined when every tenant has to name one. */
  readonly defaultDataStore: string | undefined;
  /** Whether the admin cluster serves TLSRoutes of the Gateway API. */
  hasTlsRoute(): Promise<boolean>;
}

/** The rules of our kinds that need other objects. Status and scale pass: they touch nothing that is looked at here. */
export function createTenancyAdmission(options: TenancyAdmissionOptions): AdmissionPlugin {
  return {
    name: 'Tenancy',
    mutate: (request) => Promise.resolve(withDefaultDataStore(request, options.defaultDataStore)),
    async validate(request) {
      if (request.definition.group !== GROUP || request.subresource !== '') return;
      if (request.definition.plural === 'tenantcontrolplanes') await validateTenant(request, options);
      if (request.definition.plural === 'datastores') await validateDataStore(request);
    },
  };
}

/** Only for a new tenant: an old one without a DataStore is not to get one because the option has changed. */
function withDefaultDataStore(request: AdmissionRequest, defaultDataStore: string | undefined): KubeObject {
  const { object, definition, operation, subresource } = request;
  const isNewTenant =
    operation === 'CREATE' &&
    subresource === '' &&
    definition.group === GROUP &&
    definition.plural === 'tenantcontrolplanes';
  if (!isNewTenant || defaultDataStore === undefined || !isJsonObject(valueAt(object, ['spec']))) {
    return object as KubeObject;
  }
  const given = valueAt(object, ['spec', 'dataStore']);
  if (given !== undefined && given !== null && given !== '') return object as KubeObject;
  return withValueAt(object as KubeObject, ['spec', 'dataStore'], defaultDataStore) as object as KubeObject;
}

async function validateTenant(request: AdmissionRequest, options: TenancyAdmissionOptions): Promise<void> {
  const tenant = request.object as TenantControlPlane | undefined;
  const old = request.old as TenantControlPlane | undefined;
  if (tenant === undefined || request.operation === 'CONNECT') return;
  if (tenant.metadata.deletionTimestamp !== undefined || deepEqual(tenant.spec, old?.spec)) return;
  const errors = [
    ...(await validateMainDataStore(tenant, old, request.reader)),
    ...(await validateOverrides(tenant, old, request.reader)),
    ...(await validateGateway(tenant, old, options)),
  ];
  if (errors.length > 0) throw newInvalid({ group: GROUP, kind: request.definition.kind }, request.name, errors);
}

async function validateMainDataStore(
  tenant: TenantControlPlane,
  old: TenantControlPlane | undefined,
  reader: ObjectReader,
): Promise<readonly FieldError[]> {
  const field = 'spec.dataStore';
  const name = tenant.spec.dataStore;
  if (!name) return old === undefined ? [requiredValue(field, 'this server has no default DataStore')] : [];
  const current = old === undefined ? undefined : old.status?.storage?.dataStoreName || old.spec.dataStore;
  if (name === current) return [];
  const dataStore = await readDataStore(reader, name);
  if (dataStore === undefined) return [unknownDataStore(field, name)];
  if (!current) return [];
  const driver = (await readDataStore(reader, current))?.spec.driver;
  if (driver !== undefined && driver !== dataStore.spec.driver) {
    const why = `the objects of the tenant are in ${current} with driver ${driver}, ${name} has driver ${dataStore.spec.driver}`;
    return [forbiddenValue(field, why)];
  }
  return [
    forbiddenValue(field, `cannot be changed, the objects of the tenant are in ${current} and cannot be moved yet`),
  ];
}

async function validateOverrides(
  tenant: TenantControlPlane,
  old: TenantControlPlane | undefined,
  reader: ObjectReader,
): Promise<readonly FieldError[]> {
  const overrides = tenant.spec.dataStoreOverrides ?? [];
  if (deepEqual(overrides, old?.spec.dataStoreOverrides ?? [])) return [];
  const errors: FieldError[] = [];
  for (const [index, override] of overrides.entries()) {
    const field = `spec.dataStoreOverrides[${index}].dataStore`;
    const dataStore = await readDataStore(reader, override.dataStore);
    if (dataStore === undefined) errors.push(unknownDataStore(field, override.dataStore));
    else if (dataStore.spec.driver !== 'etcd') {
      const why = `must have driver etcd, it has ${dataStore.spec.driver}`;
      errors.push(invalidValue(field, override.dataStore, why));
    }
  }
  return errors;
}

function readDataStore(reader: ObjectReader, name: string): Promise<DataStore | undefined> {
  return reader.get<DataStore>('datastores', '', name);
}

function unknownDataStore(field: string, name: string): FieldError {
  return invalidValue(field, name, `there is no DataStore ${name}`);
}

async function validateGateway(
  tenant: TenantControlPlane,
  old: TenantControlPlane | undefined,
  options: TenancyAdmissionOptions,
): Promise<readonly FieldError[]> {
  const { gateway } = tenant.spec.controlPlane;
  if (gateway === undefined || deepEqual(gateway, old?.spec.controlPlane.gateway)) return [];
  if (await options.hasTlsRoute()) return [];
  const why = 'the cluster does not serve TLSRoute of gateway.networking.k8s.io/v1, install the Gateway API first';
  return [forbiddenValue('spec.controlPlane.gateway', why)];
}

async function validateDataStore(request: AdmissionRequest): Promise<void> {
  const { operation, old, name } = request;
  if (old === undefined || (operation !== 'DELETE' && operation !== 'UPDATE')) return;
  const next = request.object as DataStore | undefined;
  if (operation === 'UPDATE' && deepEqual(next?.spec, (old as DataStore).spec)) return;
  const users = dataStoreUsers(name, await request.reader.list<TenantControlPlane>('tenantcontrolplanes'));
  if (users.length === 0) return;
  if (operation === 'DELETE') {
    throw newConflict({ group: GROUP, resource: request.definition.plural }, name, `it is used by ${users.join(', ')}`);
  }
  request.warn(`DataStore ${name} is used by ${users.length} tenants, their control planes follow this change`);
}
