/** Names within the control plane's pod and Service that are ours, which user-given parts may therefore not have. */

export const CONTROL_PLANE_CONTAINERS = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'konnectivity-server',
] as const;

export const API_SERVICE_PORT = 'kube-apiserver';
export const KONNECTIVITY_SERVICE_PORT = 'konnectivity-server';

/** Ports that listen in the pod whatever the spec says, and what is behind them. */
export const POD_PORTS: Readonly<Record<number, string>> = {
  8133: "konnectivity-server's administration",
  8134: "konnectivity-server's health checks",
  10257: 'kube-controller-manager',
  10259: 'kube-scheduler',
};

/** Labels of these domains are ours. */
export const OWN_LABEL_DOMAINS = ['kamaji.io', 'component.kamaji.io'] as const;
