import type { KubeObject } from '../../apimachinery/object.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

/** Asks the plugins in order. @throws StatusError of the first that refuses */
export interface AdmissionChain {
  /** The object to go on with. */
  mutate(request: AdmissionRequest): Promise<KubeObject | undefined>;
  validate(request: AdmissionRequest): Promise<void>;
}

export function newAdmissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  return {
    async mutate(request) {
      let object = request.object;
      for (const plugin of plugins) {
        if (plugin.mutate !== undefined) object = await plugin.mutate({ ...request, object });
      }
      return object;
    },
    async validate(request) {
      for (const plugin of plugins) await plugin.validate?.(request);
    },
  };
}
