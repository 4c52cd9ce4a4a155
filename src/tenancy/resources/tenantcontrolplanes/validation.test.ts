import { expect, test } from 'vitest';
import { formatFieldError } from '../../../apimachinery/field-error.ts';
import type { JsonObject } from '../../../apimachinery/object.ts';
import { validate } from '../../../apimachinery/schema/validation.ts';
import { defaultTenantControlPlane } from '../../api/tenant-control-plane-defaults.ts';
import { tenantControlPlane } from '../../api/tenant-control-plane.ts';
import { deployment, loadBalancer, network, nodePort, patch, service, SMALLEST, tenant } from './tenant-sample.ts';
import { validateTenantControlPlane } from './validation.ts';

/** Schema first, as the server does. */
function findings(spec: JsonObject): readonly string[] {
  const object = tenant(spec);
  const errors = validate(tenantControlPlane, object);
  return (errors.length > 0 ? errors : validateTenantControlPlane(object)).map(formatFieldError);
}

// prettier-ignore
const accepted: readonly (readonly [string, JsonObject])[] = [
  ['the smallest object', {}],
  ['without v', { kubernetes: { version: '1.36.0' } }],
  ['the oldest minor', { kubernetes: { version: 'v1.30.0' } }],
  ['a pre-release', { kubernetes: { version: 'v1.36.0-rc.1' } }],
  ['RSA', { kubernetes: { encryptionAlgorithm: 'RSA-2048' } }],
  ['dual stack', network({ serviceCidrs: ['10.1.0.0/16', 'fd00:1::/108'], podCidrs: ['10.2.0.0/16', 'fd00:2::/48'] })],
  ['IPv6 first', network({ serviceCidrs: ['fd00:1::/112'], podCidrs: ['fd00:2::/56'], advertiseAddress: '2001:db8::1' })],
  ['host bits in a CIDR', network({ serviceCidr: '10.96.0.250/16' })],
  ['DNS anywhere in the Services', network({ dnsServiceIPs: ['10.96.255.250', '10.96.0.2'] })],
  ['names of the certificate', network({ certSANs: ['10.0.0.1', '::1', 'api.example.org', '*.example.org'] })],
  ['a small pod network with a fitting mask', { ...network({ podCidr: '10.244.0.0/25' }), ...deployment({ extraArgs: { controllerManager: ['--node-cidr-mask-size=27'] } }) }],
  ['a node port', nodePort({ address: '192.0.2.1', port: 30000 })],
  ['a node port without konnectivity', nodePort({ address: 'node.example.org', port: 32767 }, { enabled: false })],
  ['a load balancer', loadBalancer({ loadBalancerClass: 'a/b', loadBalancerSourceRanges: ['192.0.2.0/24'] }, { allocateLoadBalancerNodePorts: false })],
  ['an address as external IP', network({ address: '192.0.2.1', allowAddressAsExternalIP: true })],
  ['an Ingress', { controlPlane: { ingress: { hostname: 'a.example.org:443', ingressClassName: 'nginx' } } }],
  ['a Gateway', { controlPlane: { gateway: { hostname: 'a.example.org', parentRefs: [{ name: 'gw' }] } } }],
  [
    'further ports',
    service({
      additionalPorts: [
        { name: 'x', port: 9000, targetPort: 'metrics' },
        { name: 'y', port: 6443, protocol: 'UDP', targetPort: 1 },
      ],
    }),
  ],
  ['no konnectivity', { addons: { konnectivity: { enabled: false } } }],
  ['all add-ons', { addons: { coreDNS: {}, kubeProxy: { imageRepository: 'example.org/x', imageTag: 'v1.2' } } }],
  ['agents as a Deployment', { addons: { konnectivity: { agent: { mode: 'Deployment', replicas: 3 } } } }],
  ['agents on every node with 0 replicas', { addons: { konnectivity: { agent: { replicas: 0 } } } }],
  ['chosen names in the data store', { dataStore: 'default', dataStoreSchema: 'team_a', dataStoreUsername: 'team-a' }],
  [
    'overrides',
    {
      dataStoreOverrides: [
        { resource: '/events', dataStore: 'b' },
        { resource: 'apps/deployments', dataStore: 'b' },
      ],
    },
  ],
  ['a container with its volume', deployment({ additionalContainers: [{ name: 'x', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }], additionalInitContainers: [{ name: 'init', image: 'i' }], additionalVolumes: [{ name: 'v', emptyDir: {} }], additionalVolumeMounts: { apiServer: [{ name: 'v', mountPath: '/v' }], scheduler: [{ name: 'v', mountPath: '/v' }] } })],
  ['Recreate', deployment({ strategy: { type: 'Recreate' } })],
  ['metadata', deployment({ podAdditionalMetadata: { labels: { team: 'a' }, annotations: { 'Example.org/Note': 'any text' } } })],
  ['a kubelet patch', patch({ op: 'replace', path: '/evictionHard/memory.available', value: null })],
  ['no replicas', deployment({ replicas: 0 })],
];

test.each(accepted)('accepted: %s', (_, spec) => expect(findings(spec)).toEqual([]));

// prettier-ignore
const refused: readonly (readonly [string, JsonObject, string])[] = [
  ['a version that is none', { kubernetes: { version: 'latest' } }, 'spec.kubernetes.version: Invalid value: "latest": must be a version such as v1.36.1'],
  ['a version without patch', { kubernetes: { version: 'v1.36' } }, 'spec.kubernetes.version: Invalid value: "v1.36": must be a version such as v1.36.1'],
  ['a minor that is too new', { kubernetes: { version: 'v1.37.0' } }, 'spec.kubernetes.version: Invalid value: "v1.37.0": the newest supported version is v1.36'],
  ['a major that is too new', { kubernetes: { version: 'v2.0.0' } }, 'spec.kubernetes.version: Invalid value: "v2.0.0": the newest supported version is v1.36'],
  ['a minor that is too old', { kubernetes: { version: 'v1.29.9' } }, 'spec.kubernetes.version: Invalid value: "v1.29.9": the oldest supported version is v1.30'],
  ['a number as version', { kubernetes: { version: 1.36 } }, 'spec.kubernetes.version: Invalid value: "number": spec.kubernetes.version in body must be of type string: "number"'],
  ['an unknown algorithm', { kubernetes: { encryptionAlgorithm: 'DSA' } }, 'spec.kubernetes.encryptionAlgorithm: Unsupported value: "DSA": supported values: "ECDSA-P256", "RSA-2048"'],
  ['a plugin twice', { kubernetes: { admissionControllers: ['Priority', 'Priority'] } }, 'spec.kubernetes.admissionControllers[1]: Duplicate value: "Priority"'],
  ['an address type twice', { kubernetes: { kubelet: { preferredAddressTypes: ['Hostname', 'Hostname'] } } }, 'spec.kubernetes.kubelet.preferredAddressTypes[1]: Duplicate value: "Hostname"'],
  ['a patch without slash', patch({ op: 'remove', path: 'maxPods' }), 'spec.kubernetes.kubelet.configurationJSONPatches[0].path: Invalid value: "maxPods": must be a JSON pointer, such as /maxPods'],
  ['a patch without value', patch({ op: 'add', path: '/maxPods' }), 'spec.kubernetes.kubelet.configurationJSONPatches[0].value: Required value: operation add needs a value'],
  ['a patch without source', patch({ op: 'move', path: '/maxPods' }), 'spec.kubernetes.kubelet.configurationJSONPatches[0].from: Required value: operation move needs a source'],
  ['a CIDR that is none', network({ serviceCidr: '10.96.0.0', serviceCidrs: ['10.96.0.0/16'] }), 'spec.networkProfile.serviceCidr: Invalid value: "10.96.0.0": must be a CIDR, such as 10.96.0.0/16'],
  ['a CIDR of a list that is none', network({ podCidr: '10.1.0.0/16', podCidrs: ['10.1.0.0/33'] }), 'spec.networkProfile.podCidrs[0]: Invalid value: "10.1.0.0/33": must be a CIDR, such as 10.96.0.0/16'],
  ['three CIDRs', network({ podCidrs: ['10.1.0.0/16', 'fd00::/56', '10.2.0.0/16'] }), 'spec.networkProfile.podCidrs: Too many: 3: must have at most 2 items'],
  ['one family twice', network({ podCidrs: ['10.1.0.0/16', '10.2.0.0/16'] }), 'spec.networkProfile.podCidrs[1]: Invalid value: "10.2.0.0/16": the second CIDR must be of the other IP family'],
  ['overlap', network({ serviceCidr: '10.244.0.0/16' }), 'spec.networkProfile.serviceCidrs[0]: Invalid value: "10.244.0.0/16": overlaps with the pod CIDR 10.244.0.0/16'],
  ['Services within the pods', network({ podCidr: '10.0.0.0/8' }), 'spec.networkProfile.serviceCidrs[0]: Invalid value: "10.96.0.0/16": overlaps with the pod CIDR 10.0.0.0/8'],
  ['too few Services', network({ serviceCidr: '10.96.0.0/29' }), 'spec.networkProfile.serviceCidrs[0]: Invalid value: "10.96.0.0/29": must hold at least 16 addresses'],
  ['too many Services', network({ serviceCidr: '10.0.0.0/11', podCidr: '192.168.0.0/16' }), 'spec.networkProfile.serviceCidrs[0]: Invalid value: "10.0.0.0/11": is too large for Services: the prefix length must be at least 12'],
  ['no room for a node', network({ podCidr: '10.244.0.0/25' }), 'spec.networkProfile.podCidrs[0]: Invalid value: "10.244.0.0/25": has no room for the network of one node, which is a /24'],
  ['too large for IPv6 pods', network({ podCidrs: ['fd00::/40'], serviceCidrs: ['fc00::/112'] }), 'spec.networkProfile.podCidrs[0]: Invalid value: "fd00::/40": is too large: the prefix length must be at least 48'],
  ['DNS outside of the Services', network({ dnsServiceIPs: ['192.168.1.1'] }), 'spec.networkProfile.dnsServiceIPs[0]: Invalid value: "192.168.1.1": must be in a service CIDR (10.96.0.0/16)'],
  ['DNS that is no address', network({ dnsServiceIPs: ['dns'] }), 'spec.networkProfile.dnsServiceIPs[0]: Invalid value: "dns": must be an IP address'],
  ['a domain without dot', network({ clusterDomain: 'local' }), 'spec.networkProfile.clusterDomain: Invalid value: "local": must be a DNS name with at least one dot, such as cluster.local'],
  ['a SAN that is none', network({ certSANs: ['ok.example.org', 'a_b'] }), 'spec.networkProfile.certSANs[1]: Invalid value: "a_b": must be an IP address, a DNS name or a DNS name behind *.'],
  ['an address that is none', network({ address: 'a b' }), 'spec.networkProfile.address: Invalid value: "a b": must be an IP address or a DNS name'],
  ['an address with too many octets', network({ address: '1.2.3.4.5' }), 'spec.networkProfile.address: Invalid value: "1.2.3.4.5": must be an IP address or a DNS name'],
  ['a name as external IP', network({ address: 'a.example.org', allowAddressAsExternalIP: true }), 'spec.networkProfile.address: Invalid value: "a.example.org": must be an IP address when allowAddressAsExternalIP is true'],
  ['an advertised name', network({ advertiseAddress: 'a.example.org' }), 'spec.networkProfile.advertiseAddress: Invalid value: "a.example.org": must be an IP address'],
  ['an advertised address of the other family', network({ advertiseAddress: '2001:db8::1' }), 'spec.networkProfile.advertiseAddress: Invalid value: "2001:db8::1": must be an IPv4 address like the first service CIDR'],
  ['port 0', network({ port: 0 }), 'spec.networkProfile.port: Invalid value: 0: spec.networkProfile.port in body should be greater than or equal to 1'],
  ['port 65536', network({ port: 65536 }), 'spec.networkProfile.port: Invalid value: 65536: spec.networkProfile.port in body should be less than or equal to 65535'],
  ['a port of the pod', network({ port: 10257 }), 'spec.networkProfile.port: Invalid value: 10257: is taken in the pod by kube-controller-manager'],
  ['the port of konnectivity', network({ port: 8132 }), 'spec.addons.konnectivity.server.port: Invalid value: 8132: must differ from spec.networkProfile.port'],
  ['a node port without address', nodePort({ port: 30000 }), 'spec.networkProfile.address: Required value: serviceType NodePort needs the address of a node or of what stands before the nodes'],
  ['a node port outside of the range', nodePort({ address: '192.0.2.1' }), 'spec.networkProfile.port: Invalid value: 6443: must be from 30000 to 32767 with serviceType NodePort'],
  ['a node port of konnectivity outside of the range', nodePort({ address: '192.0.2.1', port: 30000 }, {}), 'spec.addons.konnectivity.server.port: Invalid value: 8132: must be from 30000 to 32767 with serviceType NodePort'],
  ['source ranges without load balancer', network({ loadBalancerSourceRanges: ['192.0.2.0/24'] }), 'spec.networkProfile.loadBalancerSourceRanges: Forbidden: is for serviceType LoadBalancer only, this one is ClusterIP'],
  ['a class without load balancer', network({ loadBalancerClass: 'a/b' }), 'spec.networkProfile.loadBalancerClass: Forbidden: is for serviceType LoadBalancer only, this one is ClusterIP'],
  ['node ports of no load balancer', service({ allocateLoadBalancerNodePorts: true }), 'spec.controlPlane.service.allocateLoadBalancerNodePorts: Forbidden: is for serviceType LoadBalancer only, this one is ClusterIP'],
  ['a source range that is none', loadBalancer({ loadBalancerSourceRanges: ['192.0.2.1'] }), 'spec.networkProfile.loadBalancerSourceRanges[0]: Invalid value: "192.0.2.1": must be a CIDR, such as 10.96.0.0/16'],
  ['an unknown service type', service({ serviceType: 'ExternalName' }), 'spec.controlPlane.service.serviceType: Unsupported value: "ExternalName": supported values: "ClusterIP", "NodePort", "LoadBalancer"'],
  ['our port name', service({ additionalPorts: [{ name: 'kube-apiserver', port: 1, targetPort: 1 }] }), 'spec.controlPlane.service.additionalPorts[0].name: Duplicate value: "kube-apiserver"'],
  ['our port', service({ additionalPorts: [{ name: 'x', port: 6443, targetPort: 1 }] }), 'spec.controlPlane.service.additionalPorts[0].port: Duplicate value: 6443'],
  ["konnectivity's port", service({ additionalPorts: [{ name: 'x', port: 8132, targetPort: 1 }] }), 'spec.controlPlane.service.additionalPorts[0].port: Duplicate value: 8132'],
  [
    'a port twice',
    service({
      additionalPorts: [
        { name: 'x', port: 1, targetPort: 1 },
        { name: 'y', port: 1, targetPort: 1 },
      ],
    }),
    'spec.controlPlane.service.additionalPorts[1].port: Duplicate value: 1',
  ],
  ['a target port that is none', service({ additionalPorts: [{ name: 'x', port: 1, targetPort: 0 }] }), 'spec.controlPlane.service.additionalPorts[0].targetPort: Invalid value: 0: must be a number from 1 to 65535 or the name of a container port'],
  ['Ingress and Gateway', { controlPlane: { ingress: { hostname: 'a.example.org' }, gateway: { hostname: 'a.example.org', parentRefs: [{ name: 'gw' }] } } }, 'spec.controlPlane.ingress: Forbidden: ingress and gateway exclude each other'],
  ['an Ingress without name', { controlPlane: { ingress: {} } }, 'spec.controlPlane.ingress.hostname: Required value: an Ingress needs the host name of the tenant'],
  ['an Ingress with an address', { controlPlane: { ingress: { hostname: '192.0.2.1' } } }, 'spec.controlPlane.ingress.hostname: Invalid value: "192.0.2.1": must be a DNS name, with a port if need be'],
  ['a Gateway without name', { controlPlane: { gateway: { parentRefs: [{ name: 'gw' }] } } }, 'spec.controlPlane.gateway.hostname: Required value: a TLSRoute needs the host name of the tenant'],
  ['a Gateway with a wildcard', { controlPlane: { gateway: { hostname: '*.example.org', parentRefs: [{ name: 'gw' }] } } }, 'spec.controlPlane.gateway.hostname: Invalid value: "*.example.org": must be a DNS name without a wildcard, nodes connect to it'],
  ['a Gateway without parents', { controlPlane: { gateway: { hostname: 'a.example.org' } } }, 'spec.controlPlane.gateway.parentRefs: Required value: a TLSRoute needs at least one Gateway'],
  ['replicas of a DaemonSet', { addons: { konnectivity: { agent: { replicas: 1 } } } }, 'spec.addons.konnectivity.agent.replicas: Invalid value: 1: must be left out or 0 with mode DaemonSet, which runs one agent on every node'],
  ['no replicas of a Deployment', { addons: { konnectivity: { agent: { mode: 'Deployment', replicas: 0 } } } }, 'spec.addons.konnectivity.agent.replicas: Invalid value: 0: must be above 0 with mode Deployment'],
  ['a tag that is none', { addons: { coreDNS: { imageTag: 'a b' } } }, 'spec.addons.coreDNS.imageTag: Invalid value: "a b": must be the tag of an image'],
  ['a schema with a slash', { dataStoreSchema: 'a/b' }, 'spec.dataStoreSchema: Invalid value: "a/b": must have 1 to 63 characters out of A-Z, a-z, 0-9, "_", "-" and ".", with no "-" or "." at its ends'],
  ['a schema of dots', { dataStoreSchema: '..' }, 'spec.dataStoreSchema: Invalid value: "..": must have 1 to 63 characters out of A-Z, a-z, 0-9, "_", "-" and ".", with no "-" or "." at its ends'],
  ['the administrator', { dataStoreUsername: 'root' }, 'spec.dataStoreUsername: Invalid value: "root": is a name that the data store keeps for itself'],
  ["an ordinary cluster's keys", { dataStoreSchema: 'registry' }, 'spec.dataStoreSchema: Invalid value: "registry": is a name that the data store keeps for itself'],
  ['an override of nothing', { dataStoreOverrides: [{ resource: 'events', dataStore: 'b' }] }, 'spec.dataStoreOverrides[0].resource: Invalid value: "events": must be group/resource, such as /events or apps/deployments'],
  [
    'an override twice',
    {
      dataStoreOverrides: [
        { resource: '/events', dataStore: 'b' },
        { resource: '/events', dataStore: 'c' },
      ],
    },
    'spec.dataStoreOverrides[1]: Duplicate value: {"resource":"/events"}',
  ],
  ['our container', deployment({ additionalContainers: [{ name: 'kube-apiserver', image: 'i' }] }), 'spec.controlPlane.deployment.additionalContainers[0].name: Invalid value: "kube-apiserver": is the name of a container of the control plane'],
  ['a container twice', deployment({ additionalInitContainers: [{ name: 'x', image: 'i' }], additionalContainers: [{ name: 'x', image: 'i' }] }), 'spec.controlPlane.deployment.additionalContainers[0].name: Duplicate value: "x"'],
  ['a container without image', deployment({ additionalContainers: [{ name: 'x' }] }), 'spec.controlPlane.deployment.additionalContainers[0].image: Required value: every container needs an image'],
  ['a volume twice', deployment({ additionalVolumes: [{ name: 'v' }, { name: 'v' }] }), 'spec.controlPlane.deployment.additionalVolumes[1].name: Duplicate value: "v"'],
  ['our volume', deployment({ additionalVolumes: [{ name: 'konnectivity-uds' }] }), 'spec.controlPlane.deployment.additionalVolumes[0].name: Invalid value: "konnectivity-uds": is the name of a volume of the control plane'],
  ['a mount of nothing', deployment({ additionalVolumeMounts: { apiServer: [{ name: 'v', mountPath: '/v' }] } }), 'spec.controlPlane.deployment.additionalVolumeMounts.apiServer[0].name: Not found: "v"'],
  [
    'two mounts in one place',
    deployment({
      additionalVolumes: [{ name: 'v' }],
      additionalVolumeMounts: {
        scheduler: [
          { name: 'v', mountPath: '/v' },
          { name: 'v', mountPath: '/v' },
        ],
      },
    }),
    'spec.controlPlane.deployment.additionalVolumeMounts.scheduler[1].mountPath: Duplicate value: "/v"',
  ],
  ['a mount over our files', deployment({ additionalVolumes: [{ name: 'v' }], additionalVolumeMounts: { apiServer: [{ name: 'v', mountPath: '/etc/kubernetes/' }] } }), 'spec.controlPlane.deployment.additionalVolumeMounts.apiServer[0].mountPath: Invalid value: "/etc/kubernetes/": is where the control plane has its own files'],
  ['Recreate with shares', deployment({ strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } }), 'spec.controlPlane.deployment.strategy.rollingUpdate: Forbidden: is for type RollingUpdate only'],
  ['an unknown strategy', deployment({ strategy: { type: 'OnDelete' } }), 'spec.controlPlane.deployment.strategy.type: Unsupported value: "OnDelete": supported values: "Recreate", "RollingUpdate"'],
  ['a share that is none', deployment({ strategy: { rollingUpdate: { maxSurge: 'half' } } }), 'spec.controlPlane.deployment.strategy.rollingUpdate.maxSurge: Invalid value: "half": must be a number that is not negative, or a percentage such as 25%'],
  ['no room to roll', deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }), 'spec.controlPlane.deployment.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when maxSurge is 0'],
  ['our label', deployment({ podAdditionalMetadata: { labels: { 'kamaji.io/name': 'x' } } }), 'spec.controlPlane.deployment.podAdditionalMetadata.labels[kamaji.io/name]: Forbidden: labels of this domain are set by Kamaji'],
  ['negative replicas', deployment({ replicas: -1 }), 'spec.controlPlane.deployment.replicas: Invalid value: -1: spec.controlPlane.deployment.replicas in body should be greater than or equal to 0'],
  ['a tag suffix that is none', deployment({ registrySettings: { tagSuffix: '@sha256' } }), 'spec.controlPlane.deployment.registrySettings.tagSuffix: Invalid value: "@sha256": must consist of letters, digits, ".", "_" and "-", at most 100'],
  ['a quantity that is none', deployment({ resources: { apiServer: { requests: { cpu: 'much' } } } }), String.raw`spec.controlPlane.deployment.resources.apiServer.requests.cpu: Invalid value: "much": spec.controlPlane.deployment.resources.apiServer.requests.cpu in body should match '^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$'`],
];

test.each(refused)('refused: %s', (_, spec, message) => expect(findings(spec)).toEqual([message]));

test.each<[string, readonly string[]]>([
  ['controlPlane', ['spec.controlPlane: Required value']],
  ['kubernetes', ['spec.kubernetes: Required value']],
])('%s is required', (name, expected) => {
  const object = defaultTenantControlPlane({ spec: { ...SMALLEST, [name]: undefined } });
  expect(validate(tenantControlPlane, object).map(formatFieldError)).toEqual(expected);
});
