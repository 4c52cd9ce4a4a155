import type { CertificateAndKey } from '../../../pki/certificate-and-key.ts';
import type { Component } from '../../../reconcile/component.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { konnectivityEnabled } from '../addons/enabled.ts';
import { kubeconfigText, newKubeconfig, serverUrl } from '../kubeconfig.ts';
import { ANNOTATION_CHECKSUM, LABEL_CERTIFICATE_LIFECYCLE, LABEL_IRREPLACEABLE, tenantObjectNames } from '../names.ts';
import { contentChecksum, tenantMetadata } from '../object-metadata.ts';
import type { TenantInput, TenantRoots } from '../tenant-input.ts';
import {
  ADMIN_USER,
  CONTROLLER_MANAGER_USER,
  KONNECTIVITY_SERVER_USER,
  SCHEDULER_USER,
  SECRET_KEYS,
  SUPER_ADMIN_USER,
} from '../tenant-pki.ts';
import type { Secret } from './objects.ts';
import { oncePerInput } from './once-per-input.ts';

/** The Secrets of what everything else is signed with: to be made with `create`, so that two makers never overwrite each other. */
export function rootSecrets(tenant: TenantControlPlane, roots: TenantRoots): readonly Secret[] {
  const names = tenantObjectNames(tenant.metadata.name ?? '');
  const root = { irreplaceable: true } as const;
  const { certificate, key } = roots.ca;
  return [
    // Twice the same, since Cluster API looks for tls.crt and tls.key.
    secret(
      tenant,
      names.ca,
      'ca',
      { 'ca.crt': certificate, 'ca.key': key, 'tls.crt': certificate, 'tls.key': key },
      root,
    ),
    secret(
      tenant,
      names.frontProxyCa,
      'front-proxy-ca-certificate',
      pairData(SECRET_KEYS.frontProxyCa, roots.frontProxyCa),
    ),
    secret(
      tenant,
      names.serviceAccountKeys,
      'sa-certificate',
      {
        'sa.key': roots.serviceAccount.privateKey,
        'sa.pub': roots.serviceAccount.publicKey,
      },
      root,
    ),
  ];
}

export const rootSecretsComponent: Component<TenantInput> = {
  name: 'root-secrets',
  cluster: 'admin',
  desired: oncePerInput(({ tenant, pki }) => rootSecrets(tenant, pki)),
};

export const certificateSecretsComponent: Component<TenantInput> = {
  name: 'certificate-secrets',
  cluster: 'admin',
  desired: oncePerInput(({ tenant, pki }) => {
    const names = tenantObjectNames(tenant.metadata.name ?? '');
    const x509 = { lifecycle: 'x509' } as const;
    return [
      secret(tenant, names.apiServer, 'api-server-certificate', pairData(SECRET_KEYS.apiServer, pki.apiServer), x509),
      secret(
        tenant,
        names.apiServerKubeletClient,
        'api-server-kubelet-client-certificate',
        pairData(SECRET_KEYS.apiServerKubeletClient, pki.apiServerKubeletClient),
        x509,
      ),
      secret(
        tenant,
        names.frontProxyClient,
        'front-proxy-client-certificate',
        pairData(SECRET_KEYS.frontProxyClient, pki.frontProxyClient),
        x509,
      ),
    ];
  }),
};

export const kubeconfigSecretsComponent: Component<TenantInput> = {
  name: 'kubeconfig-secrets',
  cluster: 'admin',
  desired: oncePerInput((input) => {
    const { tenant, endpoint, pki } = input;
    const names = tenantObjectNames(tenant.metadata.name ?? '');
    const { port } = tenant.spec.networkProfile;
    const outside = serverUrl(endpoint.host, endpoint.port);
    const inside = serverUrl(`${names.service}.${tenant.metadata.namespace ?? ''}.svc`, port);
    const local = serverUrl('127.0.0.1', port);
    const kubeconfig = { lifecycle: 'kubeconfig' } as const;
    return [
      secret(
        tenant,
        names.adminKubeconfig,
        'admin-kubeconfig',
        {
          'admin.conf': kubeconfigFor(input, outside, ADMIN_USER, pki.admin),
          'admin.svc': kubeconfigFor(input, inside, ADMIN_USER, pki.admin),
          'super-admin.conf': kubeconfigFor(input, outside, SUPER_ADMIN_USER, pki.superAdmin),
          'super-admin.svc': kubeconfigFor(input, inside, SUPER_ADMIN_USER, pki.superAdmin),
        },
        kubeconfig,
      ),
      secret(
        tenant,
        names.controllerManagerKubeconfig,
        'controller-manager-kubeconfig',
        { 'controller-manager.conf': kubeconfigFor(input, local, CONTROLLER_MANAGER_USER, pki.controllerManager) },
        kubeconfig,
      ),
      secret(
        tenant,
        names.schedulerKubeconfig,
        'scheduler-kubeconfig',
        { 'scheduler.conf': kubeconfigFor(input, local, SCHEDULER_USER, pki.scheduler) },
        kubeconfig,
      ),
    ];
  }),
};

export const dataStoreSecretsComponent: Component<TenantInput> = {
  name: 'data-store-secrets',
  cluster: 'admin',
  desired: oncePerInput(({ tenant, storage, pki }) => {
    const names = tenantObjectNames(tenant.metadata.name ?? '');
    return [
      // etcd knows the tenant by its certificate: there is no password, and kube-apiserver takes its servers as arguments.
      secret(tenant, names.dataStoreConfig, 'datastore-config', {
        DB_CONNECTION_STRING: '',
        DB_SCHEMA: storage.schema,
        DB_USER: storage.username,
        DB_PASSWORD: '',
      }),
      secret(
        tenant,
        names.dataStoreCertificate,
        'datastore-certificate',
        { 'ca.crt': pki.dataStoreClient.caCertificate, ...pairData(SECRET_KEYS.dataStoreClient, pki.dataStoreClient) },
        { lifecycle: 'x509' },
      ),
    ];
  }),
};

export const konnectivitySecretsComponent: Component<TenantInput> = {
  name: 'konnectivity-secrets',
  cluster: 'admin',
  desired: oncePerInput((input) => {
    const { tenant, pki } = input;
    if (!konnectivityEnabled(tenant) || pki.konnectivityServer === undefined) return [];
    const names = tenantObjectNames(tenant.metadata.name ?? '');
    const local = serverUrl('127.0.0.1', tenant.spec.networkProfile.port);
    return [
      secret(
        tenant,
        names.konnectivityCertificate,
        'konnectivity-certificate',
        pairData(SECRET_KEYS.konnectivityServer, pki.konnectivityServer),
        { lifecycle: 'x509', type: 'kubernetes.io/tls' },
      ),
      secret(
        tenant,
        names.konnectivityKubeconfig,
        'konnectivity-kubeconfig',
        { 'konnectivity-server.conf': kubeconfigFor(input, local, KONNECTIVITY_SERVER_USER, pki.konnectivityServer) },
        { lifecycle: 'kubeconfig' },
      ),
    ];
  }),
};

function kubeconfigFor(
  { tenant, pki }: TenantInput,
  server: string,
  userName: string,
  client: CertificateAndKey,
): string {
  const clusterName = tenant.metadata.name ?? '';
  return kubeconfigText(newKubeconfig({ clusterName, server, caCertificate: pki.ca.certificate, userName, client }));
}

function pairData(
  keys: { readonly certificate: string; readonly key: string },
  pair: CertificateAndKey,
): Readonly<Record<string, string>> {
  return { [keys.certificate]: pair.certificate, [keys.key]: pair.key };
}

interface SecretOptions {
  readonly lifecycle?: 'x509' | 'kubeconfig';
  readonly irreplaceable?: true;
  readonly type?: Secret['type'];
}

function secret(
  tenant: TenantControlPlane,
  name: string,
  component: string,
  data: Readonly<Record<string, string>>,
  options: SecretOptions = {},
): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: tenantMetadata(tenant, name, component, {
      annotations: { [ANNOTATION_CHECKSUM]: contentChecksum(data) },
      labels: {
        ...(options.lifecycle === undefined ? {} : { [LABEL_CERTIFICATE_LIFECYCLE]: options.lifecycle }),
        ...(options.irreplaceable ? { [LABEL_IRREPLACEABLE]: 'true' } : {}),
      },
    }),
    type: options.type ?? 'Opaque',
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'utf8').toString('base64')]),
    ),
  };
}
