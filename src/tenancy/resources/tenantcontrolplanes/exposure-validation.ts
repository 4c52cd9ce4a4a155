import type { FieldError } from '../../../apimachinery/field-error.ts';
import { duplicateValue, forbiddenValue, invalidValue, requiredValue } from '../../../apimachinery/field-error.ts';
import { checkLabel1123 } from '../../../apimachinery/names.ts';
import type { ControlPlaneService } from '../../api/control-plane.ts';
import { API_SERVICE_PORT, KONNECTIVITY_SERVICE_PORT, POD_PORTS } from '../../api/reserved-names.ts';
import type { TenantControlPlaneSpec } from '../../api/tenant-control-plane.ts';
import { hostAndPort, isDnsName } from '../host-validation.ts';
import { validateAdditionalMetadata } from '../metadata-validation.ts';
import { notCidrs } from './network-validation.ts';

const PROFILE = 'spec.networkProfile';
const SERVICE = 'spec.controlPlane.service';
const KONNECTIVITY_PORT = 'spec.addons.konnectivity.server.port';
/** kube-apiserver's default --service-node-port-range. */
const NODE_PORTS = { lowest: 30000, highest: 32767 } as const;

type AdditionalPort = NonNullable<ControlPlaneService['additionalPorts']>[number];

/** How the tenant is reached: Service, ports, Ingress, Gateway. */
export function validateExposure(spec: TenantControlPlaneSpec): readonly FieldError[] {
  return [
    ...validateLoadBalancerOnly(spec),
    ...notCidrs(spec.networkProfile.loadBalancerSourceRanges ?? [], `${PROFILE}.loadBalancerSourceRanges`),
    ...validateAdditionalMetadata(spec.controlPlane.service.additionalMetadata, `${SERVICE}.additionalMetadata`),
    ...validateNodePorts(spec),
    ...validatePorts(spec),
    ...validateAdditionalPorts(spec),
    ...validateIngress(spec),
    ...validateGateway(spec),
  ];
}

function validateLoadBalancerOnly(spec: TenantControlPlaneSpec): readonly FieldError[] {
  const { service } = spec.controlPlane;
  if (service.serviceType === 'LoadBalancer') return [];
  const why = `is for serviceType LoadBalancer only, this one is ${service.serviceType}`;
  const { loadBalancerSourceRanges = [], loadBalancerClass } = spec.networkProfile;
  return [
    ...(loadBalancerSourceRanges.length > 0 ? [forbiddenValue(`${PROFILE}.loadBalancerSourceRanges`, why)] : []),
    ...(loadBalancerClass === undefined ? [] : [forbiddenValue(`${PROFILE}.loadBalancerClass`, why)]),
    ...(service.allocateLoadBalancerNodePorts === undefined
      ? []
      : [forbiddenValue(`${SERVICE}.allocateLoadBalancerNodePorts`, why)]),
  ];
}

/** A node port equals the port behind it, so that nodes and users see one number. */
function validateNodePorts(spec: TenantControlPlaneSpec): readonly FieldError[] {
  if (spec.controlPlane.service.serviceType !== 'NodePort') return [];
  const why = `must be from ${NODE_PORTS.lowest} to ${NODE_PORTS.highest} with serviceType NodePort`;
  const outside = (port: number): boolean => port < NODE_PORTS.lowest || port > NODE_PORTS.highest;
  const { networkProfile, addons } = spec;
  return [
    ...(networkProfile.address
      ? []
      : [
          requiredValue(
            `${PROFILE}.address`,
            'serviceType NodePort needs the address of a node or of what stands before the nodes',
          ),
        ]),
    ...(outside(networkProfile.port) ? [invalidValue(`${PROFILE}.port`, networkProfile.port, why)] : []),
    ...(addons.konnectivity.enabled && outside(addons.konnectivity.server.port)
      ? [invalidValue(KONNECTIVITY_PORT, addons.konnectivity.server.port, why)]
      : []),
  ];
}

function validatePorts(spec: TenantControlPlaneSpec): readonly FieldError[] {
  const { port } = spec.networkProfile;
  const { enabled, server } = spec.addons.konnectivity;
  const errors = [...takenInPod(`${PROFILE}.port`, port)];
  if (!enabled) return errors;
  errors.push(...takenInPod(KONNECTIVITY_PORT, server.port));
  if (server.port === port) {
    errors.push(invalidValue(KONNECTIVITY_PORT, server.port, `must differ from ${PROFILE}.port`));
  }
  return errors;
}

function takenInPod(path: string, port: number): readonly FieldError[] {
  const user = POD_PORTS[port];
  return user === undefined ? [] : [invalidValue(path, port, `is taken in the pod by ${user}`)];
}

function validateAdditionalPorts(spec: TenantControlPlaneSpec): readonly FieldError[] {
  const { konnectivity } = spec.addons;
  const names = new Set<string>([API_SERVICE_PORT, KONNECTIVITY_SERVICE_PORT]);
  const ports = new Set([`TCP/${spec.networkProfile.port}`]);
  if (konnectivity.enabled) ports.add(`TCP/${konnectivity.server.port}`);
  return (spec.controlPlane.service.additionalPorts ?? []).flatMap((port, index) => {
    const path = `${SERVICE}.additionalPorts[${index}]`;
    const errors = [...validateAdditionalPort(port, path)];
    if (names.has(port.name)) errors.push(duplicateValue(`${path}.name`, port.name));
    const key = `${port.protocol}/${port.port}`;
    if (ports.has(key)) errors.push(duplicateValue(`${path}.port`, port.port));
    names.add(port.name);
    ports.add(key);
    return errors;
  });
}

function validateAdditionalPort(port: AdditionalPort, path: string): readonly FieldError[] {
  const errors = checkLabel1123(port.name).map((complaint) => invalidValue(`${path}.name`, port.name, complaint));
  const target = port.targetPort;
  const valid =
    typeof target === 'number'
      ? target >= 1 && target <= 65535
      : /^(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(target);
  if (!valid) {
    errors.push(
      invalidValue(`${path}.targetPort`, target, 'must be a number from 1 to 65535 or the name of a container port'),
    );
  }
  return errors;
}

function validateIngress({ controlPlane }: TenantControlPlaneSpec): readonly FieldError[] {
  const { ingress, gateway } = controlPlane;
  if (ingress === undefined) return [];
  const path = 'spec.controlPlane.ingress';
  const errors = [...validateAdditionalMetadata(ingress.additionalMetadata, `${path}.additionalMetadata`)];
  if (gateway !== undefined) errors.push(forbiddenValue(path, 'ingress and gateway exclude each other'));
  if (!ingress.hostname) errors.push(requiredValue(`${path}.hostname`, 'an Ingress needs the host name of the tenant'));
  else if (!isDnsName(hostAndPort(ingress.hostname)?.host ?? '')) {
    errors.push(invalidValue(`${path}.hostname`, ingress.hostname, 'must be a DNS name, with a port if need be'));
  }
  return errors;
}

function validateGateway({ controlPlane }: TenantControlPlaneSpec): readonly FieldError[] {
  const { gateway } = controlPlane;
  if (gateway === undefined) return [];
  const path = 'spec.controlPlane.gateway';
  const errors = [...validateAdditionalMetadata(gateway.additionalMetadata, `${path}.additionalMetadata`)];
  if (!gateway.hostname) errors.push(requiredValue(`${path}.hostname`, 'a TLSRoute needs the host name of the tenant'));
  else if (!isDnsName(gateway.hostname)) {
    errors.push(
      invalidValue(`${path}.hostname`, gateway.hostname, 'must be a DNS name without a wildcard, nodes connect to it'),
    );
  }
  if ((gateway.parentRefs ?? []).length === 0) {
    errors.push(requiredValue(`${path}.parentRefs`, 'a TLSRoute needs at least one Gateway'));
  }
  return errors;
}
