import type { CertificateAndKey } from '../../pki/certificate-and-key.ts';
import { parseCertificate } from '../../pki/inspect.ts';
import {
  createCertificateAuthority,
  issueCertificate,
  openAuthority,
  type Authority,
  type CertificateRequest,
} from '../../pki/issue.ts';
import { createSigningKeyPair, isSigningKeyPair } from '../../pki/keys.ts';
import { PkiError } from '../../pki/pki-error.ts';
import { decideRenewal, type RenewalReason } from '../../pki/renewal.ts';
import type { TenantControlPlane } from '../api/tenant-control-plane.ts';
import { konnectivityEnabled } from './addons/enabled.ts';
import { apiServerNames } from './api-server-names.ts';
import type { ExistingSecret, ExistingSecrets } from './existing-secrets.ts';
import { kubeconfigClient } from './kubeconfig.ts';
import { tenantObjectNames } from './names.ts';
import { ProvisioningError } from './provisioning-error.ts';
import type { TenantInput, TenantPki, TenantRoots } from './tenant-input.ts';

/** Users of kubeadm's kubeconfigs (cmd/kubeadm/app/phases/kubeconfig, getKubeConfigSpecsBase). */
export const ADMIN_USER = 'kubernetes-admin';
export const SUPER_ADMIN_USER = 'kubernetes-super-admin';
export const CONTROLLER_MANAGER_USER = 'system:kube-controller-manager';
export const SCHEDULER_USER = 'system:kube-scheduler';
export const KONNECTIVITY_SERVER_USER = 'system:konnectivity-server';

export interface PlannedRoots {
  readonly roots: TenantRoots;
  /** Names of the Secrets that do not exist. Create them with `create`; if someone was faster, read theirs and plan again. */
  readonly missing: readonly string[];
}

/**
 * The tenant's roots: those that exist, and new ones for what does not.
 * Throws ProvisioningError RootSecretUnusable when a Secret exists but cannot be used: a new root in its place would cut off
 * every node and user, so that is left to a person.
 */
export async function planRoots(
  tenant: TenantControlPlane,
  existing: ExistingSecrets,
  now: Date,
): Promise<PlannedRoots> {
  const names = tenantObjectNames(tenant.metadata.name ?? '');
  const keyAlgorithm = tenant.spec.kubernetes.encryptionAlgorithm;
  const missing: string[] = [];

  const authority = async (name: string, keys: SecretKeys, commonName: string): Promise<CertificateAndKey> => {
    const secret = existing.get(name);
    if (secret === undefined) {
      missing.push(name);
      return createCertificateAuthority({ subject: { commonName }, now, keyAlgorithm });
    }
    const found = { certificate: required(name, secret, keys.certificate), key: required(name, secret, keys.key) };
    try {
      openAuthority(found);
    } catch (cause) {
      throw unusable(name, cause);
    }
    return found;
  };

  const serviceAccount = async (name: string) => {
    const secret = existing.get(name);
    if (secret === undefined) {
      missing.push(name);
      return createSigningKeyPair(keyAlgorithm);
    }
    const found = { privateKey: required(name, secret, 'sa.key'), publicKey: required(name, secret, 'sa.pub') };
    try {
      if (!isSigningKeyPair(found)) throw new PkiError('KeyMismatch', 'sa.key and sa.pub do not belong together');
    } catch (cause) {
      throw unusable(name, cause);
    }
    return found;
  };

  const roots: TenantRoots = {
    ca: await authority(names.ca, SECRET_KEYS.ca, 'kubernetes'),
    frontProxyCa: await authority(names.frontProxyCa, SECRET_KEYS.frontProxyCa, 'front-proxy-ca'),
    serviceAccount: await serviceAccount(names.serviceAccountKeys),
  };
  return { roots, missing };
}

export interface LeavesQuestion extends Omit<TenantInput, 'pki'> {
  readonly roots: TenantRoots;
  readonly existing: ExistingSecrets;
  /** CA of the DataStore, which signs the tenant's client certificate. */
  readonly dataStoreCa: CertificateAndKey;
  readonly now: Date;
  /** Renew when less than this is left; a third of a certificate's lifetime when absent. */
  readonly renewBeforeMs?: number | undefined;
}

export interface LeafChange {
  /** Name of the Secret. */
  readonly secret: string;
  /** Common name of the new certificate. */
  readonly certificate: string;
  readonly reason: RenewalReason;
  /** Half a sentence on why. */
  readonly message: string;
}

export interface PlannedLeaves {
  readonly pki: TenantPki;
  readonly changes: readonly LeafChange[];
  /** Secrets whose rotate annotation asked for this; write the time into the annotation when the Secret is applied. */
  readonly rotated: readonly string[];
  /** When the first of the certificates is due. */
  readonly nextRenewal: Date;
  /** When the first of the authorities ends; nothing renews them. */
  readonly authorityNotAfter: Date;
}

/**
 * Keeps the certificates that are as they should be and issues the others. Throws ProvisioningError:
 * DataStoreAuthorityUnusable, RootSecretUnusable (an authority has expired), CertificateRefused (names that are none).
 */
export async function planLeaves(question: LeavesQuestion): Promise<PlannedLeaves> {
  const { tenant, storage, roots, existing, now } = question;
  const names = tenantObjectNames(tenant.metadata.name ?? '');
  const keyAlgorithm = tenant.spec.kubernetes.encryptionAlgorithm;
  const authorities = openAuthorities(names, question);
  const changes: LeafChange[] = [];
  let nextRenewalMs = Number.POSITIVE_INFINITY;

  const leaf = async (
    secretName: string,
    keys: SecretKeys | KubeconfigKey,
    signer: keyof typeof authorities,
    request: CertificateRequest,
  ): Promise<CertificateAndKey> => {
    const secret = existing.get(secretName);
    const wanted: CertificateRequest = { ...request, keyAlgorithm };
    const decision = decideRenewal({
      existing: secret && readLeaf(secret, keys),
      wanted,
      authorityCertificate: authorities[signer].certificate,
      now,
      renewBeforeMs: question.renewBeforeMs,
      rotationRequested: secret?.rotationRequested ?? false,
    });
    if (!decision.renew) {
      nextRenewalMs = Math.min(nextRenewalMs, decision.renewAt.getTime());
      return decision.current;
    }
    const commonName = request.subject.commonName;
    changes.push({ secret: secretName, certificate: commonName, reason: decision.reason, message: decision.message });
    const issued = await issueOrExplain(secretName, authorities[signer], wanted, now);
    const notAfter = parseCertificate(issued.certificate).notAfter.getTime();
    const aheadMs = question.renewBeforeMs ?? (notAfter - now.getTime()) / 3;
    nextRenewalMs = Math.min(
      nextRenewalMs,
      Math.max(notAfter - aheadMs, now.getTime() + (notAfter - now.getTime()) / 10),
    );
    return issued;
  };

  const client = (commonName: string, organization?: string): CertificateRequest => ({
    subject: { commonName, ...(organization === undefined ? {} : { organizations: [organization] }) },
    usages: ['client'],
  });
  const serverNames = apiServerNames(question);

  const [
    apiServer,
    apiServerKubeletClient,
    frontProxyClient,
    dataStoreClient,
    admin,
    superAdmin,
    controllerManager,
    scheduler,
    konnectivityServer,
  ] = await Promise.all([
    leaf(names.apiServer, SECRET_KEYS.apiServer, 'ca', {
      subject: { commonName: 'kube-apiserver' },
      usages: ['server'],
      names: [...serverNames.dnsNames, ...serverNames.ipAddresses],
    }),
    leaf(
      names.apiServerKubeletClient,
      SECRET_KEYS.apiServerKubeletClient,
      'ca',
      client('kube-apiserver-kubelet-client'),
    ),
    leaf(names.frontProxyClient, SECRET_KEYS.frontProxyClient, 'frontProxyCa', client('front-proxy-client')),
    leaf(names.dataStoreCertificate, SECRET_KEYS.dataStoreClient, 'dataStore', client(storage.username)),
    leaf(names.adminKubeconfig, { kubeconfig: 'admin.conf' }, 'ca', client(ADMIN_USER, 'kubeadm:cluster-admins')),
    leaf(names.adminKubeconfig, { kubeconfig: 'super-admin.conf' }, 'ca', client(SUPER_ADMIN_USER, 'system:masters')),
    leaf(
      names.controllerManagerKubeconfig,
      { kubeconfig: 'controller-manager.conf' },
      'ca',
      client(CONTROLLER_MANAGER_USER),
    ),
    leaf(names.schedulerKubeconfig, { kubeconfig: 'scheduler.conf' }, 'ca', client(SCHEDULER_USER)),
    konnectivityEnabled(tenant)
      ? leaf(names.konnectivityCertificate, SECRET_KEYS.konnectivityServer, 'ca', client(KONNECTIVITY_SERVER_USER))
      : undefined,
  ]);

  return {
    pki: {
      ...roots,
      apiServer,
      apiServerKubeletClient,
      frontProxyClient,
      dataStoreClient: { ...dataStoreClient, caCertificate: question.dataStoreCa.certificate },
      admin,
      superAdmin,
      controllerManager,
      scheduler,
      konnectivityServer,
    },
    changes,
    rotated: [...new Set(changes.map(({ secret }) => secret))].filter(
      (name) => existing.get(name)?.rotationRequested === true,
    ),
    nextRenewal: new Date(nextRenewalMs),
    authorityNotAfter: new Date(
      Math.min(...Object.values(authorities).map((authority) => authority.notAfter.getTime())),
    ),
  };
}

interface SecretKeys {
  readonly certificate: string;
  readonly key: string;
}

interface KubeconfigKey {
  readonly kubeconfig: string;
}

/** Keys of the Secrets that hold certificates: a contract that other tools read. */
export const SECRET_KEYS = {
  ca: { certificate: 'ca.crt', key: 'ca.key' },
  frontProxyCa: { certificate: 'front-proxy-ca.crt', key: 'front-proxy-ca.key' },
  apiServer: { certificate: 'apiserver.crt', key: 'apiserver.key' },
  apiServerKubeletClient: { certificate: 'apiserver-kubelet-client.crt', key: 'apiserver-kubelet-client.key' },
  frontProxyClient: { certificate: 'front-proxy-client.crt', key: 'front-proxy-client.key' },
  dataStoreClient: { certificate: 'server.crt', key: 'server.key' },
  konnectivityServer: { certificate: 'tls.crt', key: 'tls.key' },
} as const satisfies Record<string, SecretKeys>;

function readLeaf(secret: ExistingSecret, keys: SecretKeys | KubeconfigKey): Partial<CertificateAndKey> {
  if ('kubeconfig' in keys) return kubeconfigClient(secret.data[keys.kubeconfig] ?? '') ?? {};
  const certificate = secret.data[keys.certificate];
  const key = secret.data[keys.key];
  return { ...(certificate === undefined ? {} : { certificate }), ...(key === undefined ? {} : { key }) };
}

function required(name: string, secret: ExistingSecret, key: string): string {
  const value = secret.data[key];
  if (value === undefined || value === '') {
    throw new ProvisioningError('RootSecretUnusable', `Secret ${name} has no ${key}; ${REMEDY}`);
  }
  return value;
}

const REMEDY =
  'restore its content, or delete the Secret to start over with new keys, which cuts off all nodes and users';

function unusable(name: string, cause: unknown): unknown {
  if (!(cause instanceof PkiError)) return cause;
  return new ProvisioningError('RootSecretUnusable', `Secret ${name} is damaged: ${cause.message}; ${REMEDY}`, {
    cause,
  });
}

function openAuthorities(
  names: ReturnType<typeof tenantObjectNames>,
  { roots, dataStoreCa, storage, now }: LeavesQuestion,
) {
  const open = (pair: CertificateAndKey, explain: (cause: unknown) => unknown): Authority => {
    try {
      const authority = openAuthority(pair);
      if (authority.notAfter <= now)
        throw new PkiError(
          'AuthorityExpired',
          `the certificate authority expired at ${authority.notAfter.toISOString()}`,
        );
      return authority;
    } catch (cause) {
      throw explain(cause);
    }
  };
  return {
    ca: open(roots.ca, (cause) => unusable(names.ca, cause)),
    frontProxyCa: open(roots.frontProxyCa, (cause) => unusable(names.frontProxyCa, cause)),
    dataStore: open(dataStoreCa, (cause) =>
      cause instanceof PkiError
        ? new ProvisioningError(
            'DataStoreAuthorityUnusable',
            `DataStore ${storage.dataStoreName} has no usable certificate authority: ${cause.message}`,
            { cause },
          )
        : cause,
    ),
  };
}

async function issueOrExplain(
  secretName: string,
  authority: Authority,
  wanted: CertificateRequest,
  now: Date,
): Promise<CertificateAndKey> {
  try {
    return await issueCertificate(authority, wanted, now);
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new ProvisioningError('CertificateRefused', `no certificate for Secret ${secretName}: ${cause.message}`, {
      cause,
    });
  }
}
