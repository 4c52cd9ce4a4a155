import type { FieldError } from '../../../apimachinery/field-error.ts';
import { invalidValue, requiredValue } from '../../../apimachinery/field-error.ts';
import {
  addressBits,
  formatNetwork,
  ipFromText,
  networkContains,
  networkFromText,
  networkSize,
  networksOverlap,
} from '../../api/ip-network.ts';
import type { IpNetwork } from '../../api/ip-network.ts';
import type { TenantControlPlaneSpec } from '../../api/tenant-control-plane.ts';
import { isDnsName, isDnsNameOrWildcard, isHost } from '../host-validation.ts';

const PATH = 'spec.networkProfile';
const NOT_A_CIDR = 'must be a CIDR, such as 10.96.0.0/16';
/** kubeadm's limits (cmd/kubeadm/app/constants): addresses at least, bits for hosts at most. */
const SMALLEST_SERVICE_NETWORK = 16n;
const LARGEST_SERVICE_HOST_BITS = 20;
/** kube-controller-manager's default size of a node's pod network, and by how many bits the whole may be larger in IPv6. */
const NODE_MASK = { 4: 24, 6: 64 } as const;
const IPV6_POD_MASK_SPAN = 16;

interface PlacedNetwork {
  readonly path: string;
  readonly text: string;
  readonly network: IpNetwork;
}

/** Networks and addresses of a tenant. */
export function validateNetworkProfile(spec: TenantControlPlaneSpec): readonly FieldError[] {
  const profile = spec.networkProfile;
  const services = placedNetworks(profile.serviceCidrs, `${PATH}.serviceCidrs`);
  const pods = placedNetworks(profile.podCidrs, `${PATH}.podCidrs`);
  const controllerArgs = spec.controlPlane.deployment.extraArgs?.controllerManager ?? [];
  return [
    ...notCidrs(profile.serviceCidrs, `${PATH}.serviceCidrs`),
    ...notCidrs(profile.podCidrs, `${PATH}.podCidrs`),
    ...notCidrs([profile.serviceCidr], `${PATH}.serviceCidr`, false),
    ...notCidrs([profile.podCidr], `${PATH}.podCidr`, false),
    ...sameFamilyTwice(services),
    ...sameFamilyTwice(pods),
    ...services.flatMap(validateServiceNetwork),
    ...pods.flatMap((pod) => validatePodNetwork(pod, controllerArgs)),
    ...services.flatMap((service) => overlaps(service, pods)),
    ...validateDnsServiceIps(profile.dnsServiceIPs, services),
    ...validateClusterDomain(profile.clusterDomain),
    ...validateAddresses(spec, services[0]?.network),
    ...(profile.certSANs ?? []).flatMap((name, index) =>
      ipFromText(name) !== undefined || isDnsNameOrWildcard(name)
        ? []
        : [
            invalidValue(
              `${PATH}.certSANs[${index}]`,
              name,
              'must be an IP address, a DNS name or a DNS name behind *.',
            ),
          ],
    ),
  ];
}

function placedNetworks(texts: readonly string[], path: string): readonly PlacedNetwork[] {
  return texts.flatMap((text, index) => {
    const network = networkFromText(text);
    return network === undefined ? [] : [{ path: `${path}[${index}]`, text, network }];
  });
}

export function notCidrs(texts: readonly string[], path: string, indexed = true): readonly FieldError[] {
  return texts.flatMap((text, index) =>
    networkFromText(text) === undefined ? [invalidValue(indexed ? `${path}[${index}]` : path, text, NOT_A_CIDR)] : [],
  );
}

function sameFamilyTwice(networks: readonly PlacedNetwork[]): readonly FieldError[] {
  const [first, second] = networks;
  if (first === undefined || second === undefined || first.network.family !== second.network.family) return [];
  return [invalidValue(second.path, second.text, 'the second CIDR must be of the other IP family')];
}

function validateServiceNetwork({ path, text, network }: PlacedNetwork): readonly FieldError[] {
  if (networkSize(network) < SMALLEST_SERVICE_NETWORK) {
    return [invalidValue(path, text, `must hold at least ${SMALLEST_SERVICE_NETWORK} addresses`)];
  }
  const longest = addressBits(network.family) - LARGEST_SERVICE_HOST_BITS;
  if (network.prefixLength >= longest) return [];
  return [invalidValue(path, text, `is too large for Services: the prefix length must be at least ${longest}`)];
}

function validatePodNetwork(
  { path, text, network }: PlacedNetwork,
  controllerArgs: readonly string[],
): readonly FieldError[] {
  const mask = nodeMask(network.family, controllerArgs);
  if (network.prefixLength > mask) {
    return [invalidValue(path, text, `has no room for the network of one node, which is a /${mask}`)];
  }
  if (network.family === 6 && mask - network.prefixLength > IPV6_POD_MASK_SPAN) {
    return [invalidValue(path, text, `is too large: the prefix length must be at least ${mask - IPV6_POD_MASK_SPAN}`)];
  }
  return [];
}

function nodeMask(family: 4 | 6, controllerArgs: readonly string[]): number {
  const flags = [`--node-cidr-mask-size-ipv${family}=`, '--node-cidr-mask-size='];
  const values = controllerArgs.flatMap((arg) =>
    flags.filter((flag) => arg.startsWith(flag)).map((flag) => Number(arg.slice(flag.length))),
  );
  const given = values.find((value) => Number.isInteger(value));
  return given ?? NODE_MASK[family];
}

function overlaps(service: PlacedNetwork, pods: readonly PlacedNetwork[]): readonly FieldError[] {
  return pods
    .filter((pod) => networksOverlap(service.network, pod.network))
    .map((pod) => invalidValue(service.path, service.text, `overlaps with the pod CIDR ${formatNetwork(pod.network)}`));
}

function validateDnsServiceIps(
  addresses: readonly string[],
  services: readonly PlacedNetwork[],
): readonly FieldError[] {
  return addresses.flatMap((text, index) => {
    const path = `${PATH}.dnsServiceIPs[${index}]`;
    const address = ipFromText(text);
    if (address === undefined) return [invalidValue(path, text, 'must be an IP address')];
    if (services.length === 0 || services.some(({ network }) => networkContains(network, address))) return [];
    const cidrs = services.map((service) => formatNetwork(service.network)).join(', ');
    return [invalidValue(path, text, `must be in a service CIDR (${cidrs})`)];
  });
}

function validateClusterDomain(domain: string): readonly FieldError[] {
  if (isDnsName(domain) && domain.includes('.')) return [];
  return [
    invalidValue(`${PATH}.clusterDomain`, domain, 'must be a DNS name with at least one dot, such as cluster.local'),
  ];
}

function validateAddresses(spec: TenantControlPlaneSpec, service: IpNetwork | undefined): readonly FieldError[] {
  const { address, advertiseAddress, allowAddressAsExternalIP } = spec.networkProfile;
  const errors: FieldError[] = [];
  if (address && !isHost(address)) {
    errors.push(invalidValue(`${PATH}.address`, address, 'must be an IP address or a DNS name'));
  } else if (address && allowAddressAsExternalIP === true && ipFromText(address) === undefined) {
    errors.push(
      invalidValue(`${PATH}.address`, address, 'must be an IP address when allowAddressAsExternalIP is true'),
    );
  }
  if (!address && allowAddressAsExternalIP === true) {
    errors.push(requiredValue(`${PATH}.address`, 'allowAddressAsExternalIP is true'));
  }
  if (advertiseAddress) {
    const advertised = ipFromText(advertiseAddress);
    if (advertised === undefined)
      errors.push(invalidValue(`${PATH}.advertiseAddress`, advertiseAddress, 'must be an IP address'));
    else if (service !== undefined && service.family !== advertised.family) {
      const why = `must be an IPv${service.family} address like the first service CIDR`;
      errors.push(invalidValue(`${PATH}.advertiseAddress`, advertiseAddress, why));
    }
  }
  return errors;
}
