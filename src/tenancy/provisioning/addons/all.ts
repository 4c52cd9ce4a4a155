import type { Component } from '../../../reconcile/component.ts';
import type { TenantClusterInput } from '../tenant-input.ts';
import { coreDns } from './coredns.ts';
import { konnectivityAgent } from './konnectivity-agent.ts';
import { kubeProxy } from './kube-proxy.ts';

/** Every add-on. One that is off describes no objects, so that applying it removes what was there. */
export const addonComponents: readonly Component<TenantClusterInput>[] = [kubeProxy, coreDns, konnectivityAgent];
