import { newForbidden } from '../../apimachinery/status.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import type { GetNamespace } from '../admission/plugins/namespace-lifecycle.ts';
import type { TestObject } from './test-server.ts';

const phases: Readonly<Record<string, string>> = { default: 'Active', other: 'Active', dying: 'Terminating' };
/** What the busybody was asked to judge. */
export const seen: string[] = [];

export const getTestNamespace: GetNamespace = (name) =>
  Promise.resolve(phases[name] === undefined ? undefined : { phase: phases[name] });

/** Sees everything, changes what asks for it, refuses what asks for it. */
export const busybody: AdmissionPlugin = {
  name: 'Busybody',
  mutate(request) {
    const object = request.object as TestObject;
    if (object?.spec?.tags?.please !== 'change') return Promise.resolve(object);
    const { color: _color, ...spec } = object.spec;
    return Promise.resolve({ ...object, spec: { ...spec, tags: { changed: 'yes' } } });
  },
  async validate(request) {
    seen.push(
      `${request.operation} ${request.subresource || '-'} ${request.namespace}/${request.name}${request.dryRun ? ' dry' : ''}`,
    );
    const object = (request.object ?? request.old) as TestObject;
    if (object?.metadata?.labels?.refuse === request.operation) {
      throw newForbidden({ group: 'own.example.com', resource: 'widgets' }, request.name, 'I do not like it');
    }
    const others = await request.reader.list('widgets');
    if (object?.spec?.tags?.count === 'others') request.warn(`there are ${others.length} others`);
  },
};
