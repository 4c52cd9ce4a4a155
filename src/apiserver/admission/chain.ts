import type { KubeObject } from '../../apimachinery/object.ts';
import type { AdmissionPlace, AdmissionPlugin, AdmissionRequest } from './admission.ts';

/** Asks the plugins in order. @throws StatusError of the first that refuses */
export interface AdmissionChain {
  /** Lets plugins start what takes time; `mutate` is to follow, unless the request fails before. */
  begin(place: AdmissionPlace): void;
  /** The object to go on with. */
  mutate(request: AdmissionRequest): Promise<KubeObject | undefined>;
  validate(request: AdmissionRequest): Promise<void>;
}

export function newAdmissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  return {
    begin(place) {
      for (const plugin of plugins) plugin.begin?.(place);
    },
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
