import type { KubeObject } from '../../../apimachinery/object.ts';
import type { Clock } from '../../../base/clock.ts';
import { isAlreadyExists } from '../../../kubeclient/api-error.ts';
import type { Component } from '../../../reconcile/component.ts';
import { TerminalError } from '../../../reconcile/terminal-error.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { tenantDataStoreNames } from '../../api/tenant-identity.ts';
import { mountedComponents } from '../../provisioning/admin-cluster/all.ts';
import { deploymentComponent } from '../../provisioning/admin-cluster/deployment.ts';
import { rootSecrets } from '../../provisioning/admin-cluster/secrets.ts';
import { serviceComponent } from '../../provisioning/admin-cluster/service.ts';
import type { DataStoreDriver } from '../../provisioning/datastore/driver.ts';
import { existingSecrets, type ExistingSecrets, type LiveSecret } from '../../provisioning/existing-secrets.ts';
import { ANNOTATION_ROTATE, LABEL_NAME, LABEL_PROJECT, PROJECT, tenantObjectNames } from '../../provisioning/names.ts';
import { planLeaves, planRoots } from '../../provisioning/tenant-pki.ts';
import type { TenantInput, TenantRoots } from '../../provisioning/tenant-input.ts';
import type { DataStoreRegistry } from '../data-store/registry.ts';
import { resolveAddress } from './address.ts';
import type { ConditionStep, LiveService } from './facts.ts';
import { Waiting, type Pass } from './reconcile.ts';

export interface ProvisionerDependencies {
  readonly dataStores: DataStoreRegistry;
  readonly clock: Clock;
  /** Renew certificates when less than this is left; a third of their lifetime when absent. */
  readonly renewBeforeMs: number | undefined;
  /** At least as new as our own writes. */
  liveSecret(namespace: string, name: string): LiveSecret | undefined;
  /** Asks the admin cluster itself. */
  readSecret(namespace: string, name: string, signal: AbortSignal): Promise<LiveSecret | undefined>;
  /** What we know of the Service, else what the admin cluster says. */
  findService(namespace: string, name: string, signal: AbortSignal): Promise<KubeObject | undefined>;
  createOwned(tenant: TenantControlPlane, object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** Applies what a component desires and removes what it no longer does. Answers the live objects in the same order. */
  apply<I>(
    tenant: TenantControlPlane,
    component: Component<I>,
    input: I,
    signal: AbortSignal,
  ): Promise<readonly KubeObject[]>;
  /** Deletes everything that was ever applied for the tenant in the admin cluster. */
  removeAll(tenant: TenantControlPlane, signal: AbortSignal): Promise<void>;
}

export interface Provisioner {
  readonly steps: readonly (readonly [ConditionStep, (pass: Pass, signal: AbortSignal) => Promise<void>])[];
  remove(tenant: TenantControlPlane, signal: AbortSignal): Promise<void>;
  /** Drops what is remembered of a tenant that is gone. */
  forget(uid: string): void;
}

/** The steps that turn a TenantControlPlane into a running control plane. */
export function createProvisioner(dependencies: ProvisionerDependencies): Provisioner {
  const { dataStores, clock } = dependencies;
  /** Tenants whose part of the DataStore was seen to be right since we started: uid to what was right, and where. */
  const storageInPlace = new Map<string, { readonly fingerprint: string; readonly driver: DataStoreDriver }>();

  async function setUpStorage(pass: Pass, signal: AbortSignal): Promise<void> {
    const { tenant } = pass;
    const uid = tenant.metadata.uid ?? '';
    const name = tenant.spec.dataStore;
    if (name === undefined || name === '') {
      throw new Waiting(
        'DataStoreReady',
        'DataStoreRequired',
        'spec.dataStore is not set, and the server has no default',
      );
    }
    const verdict = dataStores.get(name);
    const identity = tenantDataStoreNames(tenant);
    const fingerprint = `${name}\n${identity.schema}\n${identity.username}`;
    const driver = verdict?.use?.driver;
    const connection = verdict?.use?.connection;
    const inPlace = storageInPlace.get(uid);
    // Another driver: the DataStore may lead to other servers now.
    const knownGood = inPlace?.fingerprint === fingerprint && inPlace.driver === driver;
    if (verdict === undefined || driver === undefined || connection === undefined || (!verdict.healthy && !knownGood)) {
      const why = verdict === undefined ? 'it does not exist' : verdict.message;
      // The registry tells when that changes; the timer is for what it cannot see.
      throw new Waiting(
        'DataStoreReady',
        verdict?.reason ?? 'DataStoreNotFound',
        `DataStore ${name} cannot be used: ${why}`,
        10_000,
      );
    }
    if (!knownGood) {
      await driver.ensureTenant(identity, { signal });
      storageInPlace.set(uid, { fingerprint, driver });
    }
    pass.storage = { dataStoreName: name, driver: 'etcd', endpoints: connection.endpoints, ...identity };
  }

  async function expose(pass: Pass, signal: AbortSignal): Promise<void> {
    await refuseForeignService(pass.tenant, signal);
    const [service] = await dependencies.apply(pass.tenant, serviceComponent, { tenant: pass.tenant }, signal);
    if (service === undefined) throw new Waiting('Exposed', 'ServiceMissing', 'the Service could not be applied');
    pass.service = service as LiveService;
    const address = resolveAddress(pass.tenant, pass.service);
    if ('missing' in address) throw new Waiting('Exposed', address.missing.reason, address.missing.message, undefined);
    pass.endpoint = address.endpoint;
  }

  /** A Service called as the tenant may be anybody's: applying would change where it leads, deleting the tenant remove it. */
  async function refuseForeignService(tenant: TenantControlPlane, signal: AbortSignal): Promise<void> {
    const { namespace = '', name: tenantName = '', uid } = tenant.metadata;
    const name = tenantObjectNames(tenantName).service;
    const there = await dependencies.findService(namespace, name, signal);
    const { ownerReferences = [], labels = {} } = there?.metadata ?? {};
    const isMarked = labels[LABEL_PROJECT] === PROJECT && labels[LABEL_NAME] === tenantName;
    // What has another controller is refused when it is applied.
    const isControlled = ownerReferences.some((owner) => owner.controller === true);
    if (there === undefined || isMarked || isControlled || ownerReferences.some((owner) => owner.uid === uid)) return;
    throw new TerminalError(
      'ObjectOwnedByAnother',
      `Service ${namespace}/${name} is not this tenant's, so it is not taken over: remove it, or choose another name`,
    );
  }

  async function applyCredentials(pass: Pass, signal: AbortSignal): Promise<void> {
    const { tenant, storage, endpoint } = pass;
    if (storage === undefined || endpoint === undefined)
      throw new Error('certificates were reached without storage or endpoint');
    const dataStoreCa = dataStores.get(storage.dataStoreName)?.use?.connection.signingAuthority;
    if (dataStoreCa === undefined) {
      throw new Waiting(
        'CertificatesReady',
        'DataStoreNotReady',
        `DataStore ${storage.dataStoreName} has no signing authority`,
      );
    }
    const now = new Date(clock.now());
    const roots = await makeRoots(tenant, now, signal);
    const existing = readExisting(tenant);
    const { renewBeforeMs } = dependencies;
    const planned = await planLeaves({ tenant, storage, endpoint, roots, existing, dataStoreCa, now, renewBeforeMs });
    const input: TenantInput = { tenant, storage, endpoint, pki: planned.pki };
    const rotatedAt = (name: string): string | undefined => {
      if (planned.rotated.includes(name)) return now.toISOString();
      const kept = dependencies.liveSecret(tenant.metadata.namespace ?? '', name)?.metadata.annotations?.[
        ANNOTATION_ROTATE
      ];
      return kept === '' ? undefined : kept;
    };
    const components = mountedComponents.map((component) => withRotationTime(component, rotatedAt));
    // The roots are made once and never written again, so that no pass on an old cache can overwrite them.
    pass.desired = [...rootSecrets(tenant, roots), ...components.flatMap((component) => component.desired(input))];
    await Promise.all(components.map((component) => dependencies.apply(tenant, component, input, signal)));
    pass.input = input;
    pass.nextRenewal = planned.nextRenewal;
  }

  async function makeRoots(tenant: TenantControlPlane, now: Date, signal: AbortSignal): Promise<TenantRoots> {
    const planned = await planRoots(tenant, readExisting(tenant), now);
    if (planned.missing.length === 0) return planned.roots;
    const namespace = tenant.metadata.namespace ?? '';
    let lostRace = false;
    await Promise.all(
      rootSecrets(tenant, planned.roots)
        .filter((secret) => planned.missing.includes(secret.metadata.name ?? ''))
        .map(async (secret) => {
          try {
            await dependencies.createOwned(tenant, secret, signal);
          } catch (error) {
            if (!isAlreadyExists(error)) throw error;
            lostRace = true;
          }
        }),
    );
    if (!lostRace) return planned.roots;
    // Our cache was late: the roots that exist are the ones that count.
    const names = tenantObjectNames(tenant.metadata.name ?? '');
    const live = await Promise.all(
      [names.ca, names.frontProxyCa, names.serviceAccountKeys].map((name) =>
        dependencies.readSecret(namespace, name, signal),
      ),
    );
    const found = live.filter((secret) => secret !== undefined);
    const again = await planRoots(tenant, existingSecrets(tenant.metadata.uid ?? '', found), now);
    // Deleted just now. Only what is stored may sign, so the next pass has to make it.
    if (again.missing.length > 0) throw new Error(`Secret ${again.missing.join(', ')} was there and is gone`);
    return again.roots;
  }

  function readExisting(tenant: TenantControlPlane): ExistingSecrets {
    // Names of other kinds are left out: a Secret of such a name is another tenant's, and not in the way.
    const {
      service: _s,
      deployment: _d,
      kubeadmConfig: _k,
      konnectivityEgress: _e,
      ...names
    } = tenantObjectNames(tenant.metadata.name ?? '');
    const found = Object.values(names)
      .map((name) => dependencies.liveSecret(tenant.metadata.namespace ?? '', name))
      .filter((secret) => secret !== undefined);
    return existingSecrets(tenant.metadata.uid ?? '', found);
  }

  async function applyDeployment(pass: Pass, signal: AbortSignal): Promise<void> {
    if (pass.input === undefined) throw new Error('the Deployment was reached without credentials');
    await dependencies.apply(pass.tenant, deploymentComponent, pass.input, signal);
  }

  return {
    steps: [
      ['DataStoreReady', setUpStorage],
      ['Exposed', expose],
      ['CertificatesReady', applyCredentials],
      ['ControlPlaneAvailable', applyDeployment],
    ],
    async remove(tenant, signal) {
      await removeStorage(tenant, signal);
      await dependencies.removeAll(tenant, signal);
      storageInPlace.delete(tenant.metadata.uid ?? '');
    },
    forget: (uid) => void storageInPlace.delete(uid),
  };

  async function removeStorage(tenant: TenantControlPlane, signal: AbortSignal): Promise<void> {
    const name = tenant.status?.storage?.dataStoreName ?? tenant.spec.dataStore;
    if (name === undefined || name === '') return;
    const neverSetUp = tenant.status?.storage?.setup === undefined && !storageInPlace.has(tenant.metadata.uid ?? '');
    const verdict = dataStores.get(name);
    if (verdict?.use === undefined) {
      if (neverSetUp) return;
      const why = verdict === undefined ? 'it is not known (yet)' : verdict.message;
      throw new Waiting(
        'DataStoreReady',
        verdict?.reason ?? 'DataStoreNotFound',
        `the data in DataStore ${name} cannot be removed: ${why}`,
        5_000,
      );
    }
    if (neverSetUp && !verdict.healthy) return;
    await verdict.use.driver.removeTenant(tenantDataStoreNames(tenant), { signal });
  }
}

/** A rotation that was asked for is answered by the time at which it was done, in the same annotation, for good. */
function withRotationTime(
  component: Component<TenantInput>,
  rotatedAt: (secretName: string) => string | undefined,
): Component<TenantInput> {
  return {
    ...component,
    desired: (input) =>
      component.desired(input).map((object) => {
        const time = object.kind === 'Secret' ? rotatedAt(object.metadata.name ?? '') : undefined;
        if (time === undefined) return object;
        const annotations = { ...object.metadata.annotations, [ANNOTATION_ROTATE]: time };
        return { ...object, metadata: { ...object.metadata, annotations } };
      }),
  };
}
