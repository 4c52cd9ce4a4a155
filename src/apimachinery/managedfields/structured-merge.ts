import { FieldSet } from '../fieldpath/field-set.ts';
import { fieldPath } from '../fieldpath/path-element.ts';
import { goQuote } from '../go-format.ts';
import { Updater } from '../merge/updater.ts';
import type { GroupVersionKind, Json, KubeObject } from '../object.ts';
import { newBadRequest } from '../status.ts';
import type { Atom } from '../typed/atom.ts';
import { TypedError } from '../typed/typed-error.ts';
import { validate } from '../typed/validate.ts';
import { formatGroupVersionKind, groupVersion, parseGroupVersion } from './group-version.ts';
import type { Manager } from './manager.ts';
import { AppliedTypeError, OwnershipError } from './manager.ts';

/** The last link: merges and computes the sets. internal/structuredmerge.go and versionconverter.go for custom resources. */
export function structuredMerge(
  atom: Atom,
  kind: GroupVersionKind,
  resetFields: readonly (readonly string[])[],
): Manager {
  const apiVersion = groupVersion(kind);
  const ignored = FieldSet.of(...resetFields.map(fieldPath));
  const updater = new Updater(atom, apiVersion, ignored, (other) => checkVersion(kind, other));
  const typed = (object: KubeObject, failed: string, goal = ''): Json => {
    const error = findTypeError(atom, object, true);
    if (error !== undefined)
      throw new OwnershipError(`${failed} (${nameOf(object)})${goal}: ${error.message}`, { cause: error });
    return object as unknown as Json;
  };
  const typedPatch = (object: KubeObject): Json => {
    const error = findTypeError(atom, object, false);
    if (error !== undefined) {
      const message = `failed to create typed patch object (${nameOf(object)}): ${error.message}`;
      throw new AppliedTypeError(message, { cause: error });
    }
    return object as unknown as Json;
  };
  return {
    update({ live, next, managed, manager }) {
      const nextValue = typed(next, 'failed to convert new object', ' to smd typed');
      const liveValue = typed(live, 'failed to convert live object', ' to smd typed');
      return { fields: updater.update(liveValue, nextValue, managed.fields, manager), times: managed.times };
    },
    apply({ live, next, managed, manager, force }) {
      if (Array.isArray(next.metadata?.managedFields)) throw newBadRequest('metadata.managedFields must be nil');
      const config = typedPatch(next);
      const liveValue = typed(live, 'failed to create typed live object');
      const { object, managers } = updater.apply(liveValue, config, managed.fields, manager, force);
      return {
        object: object as KubeObject | undefined,
        managed: { fields: managers, times: managed.times },
      };
    },
  };
}

function findTypeError(atom: Atom, object: KubeObject, allowDuplicates: boolean): TypedError | undefined {
  try {
    validate(atom, object as unknown as Json, allowDuplicates);
    return undefined;
  } catch (error) {
    if (error instanceof TypedError) return error;
    throw error;
  }
}

/** internal/structuredmerge.go, objectGVKNN. The object has not been checked: its name may be anything. */
function nameOf(object: KubeObject): string {
  const { namespace, name }: { readonly namespace?: unknown; readonly name?: unknown } = object.metadata ?? {};
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return `${text(namespace)}/${text(name)}; ${formatGroupVersionKind(object)}`;
}

/** Sets may be written in our own version only: there is no other. apiextensions-apiserver/pkg/apiserver/conversion, converter.go. */
function checkVersion(kind: GroupVersionKind, apiVersion: string): void {
  if (apiVersion === groupVersion(kind)) return;
  const parsed = parseGroupVersion(apiVersion);
  if (parsed === undefined) throw new OwnershipError(`unexpected GroupVersion string: ${apiVersion}`);
  const target = groupVersion(parsed);
  if (parsed.group === kind.group)
    throw new OwnershipError(`request to convert CR to an invalid group/version: ${target}`);
  const own = `${groupVersion(kind)}, Kind=${kind.kind}`;
  throw new OwnershipError(`${own} is unstructured and is not suitable for converting to ${goQuote(target)}`);
}
