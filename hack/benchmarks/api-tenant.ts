import { createHash } from 'node:crypto';

/** A tenant as it looks after it has become Ready, the same under either group. */

const updated = '2026-11-23T03:43:58Z';

export function newTenant(apiVersion: string, name: string): object {
  return {
    apiVersion,
    kind: 'TenantControlPlane',
    metadata: {
      name,
      namespace: 'default',
      labels: { team: `team-${name.length % 7}`, 'app.kubernetes.io/managed-by': 'bench' },
      annotations: { 'example.com/owner': 'somebody@example.com' },
    },
    spec: {
      dataStore: 'default',
      controlPlane: {
        deployment: {
          replicas: 2,
          registrySettings: { registry: 'registry.k8s.io' },
          serviceAccountName: 'default',
          resources: {
            apiServer: { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '1Gi' } },
            controllerManager: { requests: { cpu: '125m', memory: '256Mi' } },
            scheduler: { requests: { cpu: '125m', memory: '256Mi' } },
          },
        },
        service: { serviceType: 'ClusterIP', additionalMetadata: { labels: { team: 'a' } } },
      },
      kubernetes: { version: 'v1.36.3', kubelet: { preferredAddressTypes: ['InternalIP', 'ExternalIP', 'Hostname'] } },
      networkProfile: {
        port: 6443,
        podCidr: '10.244.0.0/16',
        serviceCidr: '10.96.0.0/16',
        dnsServiceIPs: ['10.96.0.10'],
      },
      addons: {
        coreDNS: {},
        kubeProxy: {},
        konnectivity: {
          server: { port: 8132 },
          agent: { tolerations: [{ key: 'CriticalAddonsOnly', operator: 'Exists' }], mode: 'DaemonSet' },
        },
      },
    },
  };
}

export function newStatus(name: string): object {
  const checksum = (of: string): string =>
    createHash('md5')
      .update(name + of)
      .digest('hex');
  const secret = (of: string): object => ({ secretName: `${name}-${of}`, checksum: checksum(of), lastUpdate: updated });
  const condition = (type: string): object => ({
    type,
    status: 'True',
    reason: 'Done',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: updated,
  });
  const service = (port: number): object => ({ name, namespace: 'default', port, loadBalancer: {} });
  return {
    observedGeneration: 1,
    conditions: [
      'DataStoreReady',
      'Exposed',
      'CertificatesReady',
      'ControlPlaneAvailable',
      'TenantConfigured',
      'Ready',
    ].map(condition),
    controlPlaneEndpoint: '10.96.178.108:6443',
    storage: {
      driver: 'etcd',
      dataStoreName: 'default',
      config: { secretName: `${name}-datastore-config`, checksum: checksum('config') },
      setup: { schema: `default_${name}`, user: `default_${name}`, checksum: checksum('setup'), lastUpdate: updated },
      certificate: secret('datastore-certificate'),
    },
    certificates: {
      ca: secret('ca'),
      apiServer: secret('api-server-certificate'),
      apiServerKubeletClient: secret('api-server-kubelet-client-certificate'),
      frontProxyCA: secret('front-proxy-ca-certificate'),
      frontProxyClient: secret('front-proxy-client-certificate'),
      sa: secret('sa-certificate'),
    },
    kubeconfig: {
      admin: secret('admin-kubeconfig'),
      controllerManager: secret('controller-manager-kubeconfig'),
      scheduler: secret('scheduler-kubeconfig'),
    },
    kubeadmconfig: { configmapName: `${name}-kubeadmconfig`, checksum: checksum('kubeadm'), lastUpdate: updated },
    kubeadmPhase: { bootstrapToken: { checksum: checksum('token'), lastUpdate: updated } },
    kubernetesResources: {
      version: { version: 'v1.36.3', status: 'Ready' },
      deployment: {
        name,
        namespace: 'default',
        selector: `kamaji.io/name=${name}`,
        observedGeneration: 3,
        replicas: 2,
        readyReplicas: 2,
        availableReplicas: 2,
        updatedReplicas: 2,
        lastUpdate: updated,
      },
      service: service(6443),
    },
    addons: {
      coreDNS: { enabled: true, lastUpdate: updated },
      kubeProxy: { enabled: true, lastUpdate: updated },
      konnectivity: {
        enabled: true,
        configMap: { name: `${name}-konnectivity-egress-selector-configuration`, checksum: checksum('egress') },
        certificate: secret('konnectivity-certificate'),
        kubeconfig: secret('konnectivity-kubeconfig'),
        sa: { name: 'konnectivity-agent', namespace: 'kube-system', lastUpdate: updated },
        clusterrolebinding: { name: 'system:konnectivity-server', lastUpdate: updated },
        agent: { name: 'konnectivity-agent', namespace: 'kube-system', mode: 'DaemonSet', lastUpdate: updated },
        service: service(8132),
      },
    },
  };
}
