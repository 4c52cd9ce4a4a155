import type { Component } from '../../../reconcile/component.ts';
import { canonicalIp } from '../../../pki/subject.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { konnectivityEnabled } from '../addons/enabled.ts';
import { LABEL_NAME, tenantObjectNames } from '../names.ts';
import { tenantMetadata } from '../object-metadata.ts';
import type { Service, ServicePort } from './objects.ts';

/** The Service in front of a tenant's API. Its address is an input of all else, so it asks for no more than the tenant. */
export const serviceComponent: Component<{ readonly tenant: TenantControlPlane }> = {
  name: 'service',
  cluster: 'admin',
  desired: ({ tenant }) => [service(tenant)],
};

function service(tenant: TenantControlPlane): Service {
  const { networkProfile, controlPlane } = tenant.spec;
  const { serviceType: type, allocateLoadBalancerNodePorts: allocate, additionalMetadata } = controlPlane.service;
  const isLoadBalancer = type === 'LoadBalancer';
  const sourceRanges = networkProfile.loadBalancerSourceRanges ?? [];
  const externalIp =
    networkProfile.allowAddressAsExternalIP === true ? canonicalIp(networkProfile.address ?? '') : undefined;
  const name = tenantObjectNames(tenant.metadata.name ?? '').service;
  // What is left out here is taken away by the apply: ranges and addresses that the spec no longer names do not linger.
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: tenantMetadata(tenant, name, 'service', { additional: additionalMetadata }),
    spec: {
      type,
      selector: { [LABEL_NAME]: tenant.metadata.name ?? '' },
      ports: servicePorts(tenant),
      ...(externalIp === undefined ? {} : { externalIPs: [externalIp] }),
      ...(isLoadBalancer ? { allocateLoadBalancerNodePorts: allocate ?? true } : {}),
      ...(isLoadBalancer && sourceRanges.length > 0 ? { loadBalancerSourceRanges: sourceRanges } : {}),
      ...(isLoadBalancer && networkProfile.loadBalancerClass !== undefined
        ? { loadBalancerClass: networkProfile.loadBalancerClass }
        : {}),
    },
  };
}

function servicePorts(tenant: TenantControlPlane): readonly ServicePort[] {
  const { serviceType, allocateLoadBalancerNodePorts, additionalPorts = [] } = tenant.spec.controlPlane.service;
  // Zero gives up the node ports that a load balancer was once allocated; left out, the API server would keep them.
  const releases = serviceType === 'LoadBalancer' && allocateLoadBalancerNodePorts === false;
  const ownPort = (name: string, port: number): ServicePort => ({
    name,
    port,
    targetPort: port,
    protocol: 'TCP',
    ...(serviceType === 'NodePort' ? { nodePort: port } : {}),
    ...(releases ? { nodePort: 0 } : {}),
  });
  return [
    ownPort('kube-apiserver', tenant.spec.networkProfile.port),
    ...(konnectivityEnabled(tenant)
      ? [ownPort('konnectivity-server', tenant.spec.addons.konnectivity.server.port)]
      : []),
    ...additionalPorts.map(({ name, port, targetPort, protocol, appProtocol }): ServicePort => ({
      name,
      port,
      targetPort,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
      ...(releases ? { nodePort: 0 } : {}),
    })),
  ];
}
