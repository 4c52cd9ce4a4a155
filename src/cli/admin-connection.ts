import { loadInCluster, loadKubeconfig, KubeconfigError, type LoadedKubeconfig } from '../kubeclient/kubeconfig.ts';
import { UsageError } from './usage-error.ts';

/** The way to the admin cluster. @throws UsageError when there is none */
export async function openAdminConnection(flags: {
  readonly kubeconfig: string | undefined;
}): Promise<LoadedKubeconfig> {
  try {
    return flags.kubeconfig === undefined ? await loadInCluster() : await loadKubeconfig(flags.kubeconfig);
  } catch (error) {
    if (error instanceof KubeconfigError) throw new UsageError(`no way to the admin cluster: ${error.message}`);
    throw error;
  }
}
