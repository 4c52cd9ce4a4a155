import { array, boolean, computed, integer, object, string } from '../../apimachinery/schema/builders.ts';
import type { Static } from '../../apimachinery/schema/typed.ts';

export const networkProfile = object(
  {
    address: string({
      description:
        'IP address or host name under which the API is reached. Taken from the Service when left out; a NodePort Service needs it.',
    }),
    advertiseAddress: string({ description: 'IP address that kube-apiserver advertises inside the tenant.' }),
    allowAddressAsExternalIP: boolean({ description: 'Whether address becomes an external IP of the Service.' }),
    port: integer({ description: 'Port of the API.', minimum: 1, maximum: 65535, default: 6443 }),
    certSANs: array(string(), { description: 'Names and IP addresses to add to the certificate of kube-apiserver.' }),
    clusterDomain: string({
      description: 'DNS domain of the tenant. Cannot be changed later.',
      default: 'cluster.local',
    }),
    serviceCidr: computed(
      string({ description: 'First service CIDR, 10.96.0.0/16 by default. Deprecated: use serviceCidrs.' }),
    ),
    serviceCidrs: computed(
      array(string(), {
        description: 'CIDRs of Services, two for dual stack. Cannot be changed later.',
        minItems: 1,
        maxItems: 2,
      }),
    ),
    podCidr: computed(string({ description: 'First pod CIDR, 10.244.0.0/16 by default. Deprecated: use podCidrs.' })),
    podCidrs: computed(
      array(string(), {
        description: 'CIDRs of pods, two for dual stack. Cannot be changed later.',
        minItems: 1,
        maxItems: 2,
      }),
    ),
    dnsServiceIPs: computed(
      array(string(), {
        description:
          'Addresses of the cluster DNS; address 10 of every IPv4 and ::10 of every IPv6 service CIDR by default.',
        maxItems: 8,
      }),
    ),
    loadBalancerSourceRanges: array(string(), {
      description: 'CIDRs that may reach a LoadBalancer Service; everyone when empty.',
      maxItems: 16,
    }),
    loadBalancerClass: string({
      description: 'Load balancer implementation of a LoadBalancer Service. Cannot be changed later.',
      minLength: 1,
    }),
  },
  { description: 'Addresses and networks of the tenant.', default: {} },
);
export type NetworkProfile = Static<typeof networkProfile>;
