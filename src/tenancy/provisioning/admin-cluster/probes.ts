import type { Probe } from '../../api/core-types.generated.ts';
import type { ControlPlaneDeployment, ProbeSettings } from '../../api/control-plane.ts';

export type ProbedComponent = 'apiServer' | 'controllerManager' | 'scheduler';

export interface ProbeTarget {
  readonly port: number;
  readonly livenessPath: string;
  readonly readinessPath: string;
}

type ProbeKind = 'liveness' | 'readiness' | 'startup';

/**
 * Our timing; the user's wins field by field. Startup is looked at every second, since that is how soon a new tenant
 * answers, and given five minutes: kube-apiserver has to wait for its DataStore, and a slow machine is no reason to kill
 * it. The timeouts of liveness are kubeadm's (cmd/kubeadm/app/util/staticpod, LivenessProbe): a busy API server answers
 * slowly, and restarting it makes that worse.
 */
const DEFAULTS: Readonly<Record<ProbeKind, ProbeSettings>> = {
  startup: { timeoutSeconds: 5, periodSeconds: 1, successThreshold: 1, failureThreshold: 300 },
  readiness: { timeoutSeconds: 5, periodSeconds: 5, successThreshold: 1, failureThreshold: 3 },
  liveness: { timeoutSeconds: 15, periodSeconds: 10, successThreshold: 1, failureThreshold: 8 },
};

/** The three probes of a container: our timing, under the settings for all containers, under those for this one. */
export function containerProbes(
  component: ProbedComponent,
  target: ProbeTarget,
  settings: ControlPlaneDeployment['probes'],
): { readonly livenessProbe: Probe; readonly readinessProbe: Probe; readonly startupProbe: Probe } {
  const probe = (kind: ProbeKind, path: string): Probe => {
    const { initialDelaySeconds = 0, ...timing } = {
      ...DEFAULTS[kind],
      ...settings?.[kind],
      ...settings?.[component]?.[kind],
    };
    return {
      httpGet: { path, port: target.port, scheme: 'HTTPS' },
      // The API server leaves a zero out, and what it leaves out looks like a change.
      ...(initialDelaySeconds > 0 ? { initialDelaySeconds } : {}),
      ...timing,
    };
  };
  return {
    livenessProbe: probe('liveness', target.livenessPath),
    readinessProbe: probe('readiness', target.readinessPath),
    // The kubelet looks at readiness at once when startup has succeeded, and then not for a whole period: both ask for the
    // same, or a pod could be ready a period too late.
    startupProbe: probe('startup', target.readinessPath),
  };
}
