import type { FieldSet } from '../fieldpath/field-set.ts';
import { goJson } from '../go-value.ts';
import { isJsonObject } from '../json.ts';
import { ConflictsError } from '../merge/conflicts.ts';
import type { GroupVersionKind, Json, KubeObject } from '../object.ts';
import type { Atom } from '../typed/atom.ts';
import { compare } from '../typed/compare.ts';
import { toFieldSet } from '../typed/to-field-set.ts';
import { TypedError } from '../typed/typed-error.ts';
import { validate } from '../typed/validate.ts';
import { groupVersion } from './group-version.ts';
import type { Applied, Manager } from './manager.ts';

/** What `kubectl apply` without `--server-side` left behind: the configuration as text in an annotation. */
const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** Only this manager goes from one way of applying to the other. */
const kubectl = 'kubectl';
/** Bytes of keys and values. apimachinery/pkg/api/validation, TotalAnnotationSizeLimitB. */
const maxAnnotationsBytes = 256 * 1024;

/** Keeps the annotation, where there is one, in step with what kubectl applies. internal/lastappliedupdater.go. */
export function lastAppliedUpdater(inner: Manager): Manager {
  return {
    update: (write) => inner.update(write),
    apply(write) {
      const applied = inner.apply(write);
      if (write.manager !== kubectl) return applied;
      // Nothing changed is no reason to leave the annotation behind.
      const object = applied.object ?? write.live;
      const annotations = annotationsOf(object);
      if (!annotations?.[annotation]) return applied;
      const next: Record<string, string> = { ...annotations, [annotation]: configurationText(write.next) };
      if (annotationsBytes(next) > maxAnnotationsBytes) delete next[annotation];
      if (next[annotation] === annotations[annotation]) return applied;
      return { ...applied, object: withAnnotations(object, next) };
    },
  };
}

function annotationsOf(object: KubeObject): Readonly<Record<string, string>> | undefined {
  const annotations: unknown = object.metadata?.annotations;
  if (!isJsonObject(annotations)) return undefined;
  return Object.values(annotations).every((value) => typeof value === 'string')
    ? (annotations as Readonly<Record<string, string>>)
    : undefined;
}

function withAnnotations(object: KubeObject, annotations: Readonly<Record<string, string>>): KubeObject {
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** The applied object without the annotation itself, as Go prints it, with the end of line that its encoder adds. */
function configurationText(applied: KubeObject): string {
  const annotations = annotationsOf(applied);
  if (annotations === undefined) {
    const { annotations: _malformed, ...metadata } = applied.metadata ?? {};
    const object = applied.metadata === undefined ? applied : { ...applied, metadata };
    return `${goJson(object as unknown as Json)}\n`;
  }
  const { [annotation]: _own, ...others } = annotations;
  return `${goJson(withAnnotations(applied, others) as unknown as Json)}\n`;
}

function annotationsBytes(annotations: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) bytes += utf8Length(key) + utf8Length(value);
  return bytes;
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Lets kubectl take over without conflicts what the annotation says it applied before. internal/lastappliedmanager.go. */
export function lastAppliedManager(inner: Manager, atom: Atom, kind: GroupVersionKind): Manager {
  return {
    update: (write) => inner.update(write),
    apply(write): Applied {
      try {
        return inner.apply(write);
      } catch (error) {
        if (write.manager !== kubectl || !(error instanceof ConflictsError)) throw error;
        const allowed = allowedConflicts(atom, kind, write.live);
        if (allowed === undefined) throw error;
        const left = error.conflicts.filter(({ path }) => !allowed.has(path));
        if (left.length > 0) throw new ConflictsError(left);
        return inner.apply({ ...write, force: true });
      }
    },
  };
}

/** The fields of the annotation that still have its value; undefined when there is none to go by. */
function allowedConflicts(atom: Atom, kind: GroupVersionKind, live: KubeObject): FieldSet | undefined {
  const text = annotationsOf(live)?.[annotation];
  if (!text) return undefined;
  const lastApplied = parseConfiguration(text, kind);
  const liveValue = live as unknown as Json;
  if (lastApplied === undefined || !isValid(atom, liveValue) || !isValid(atom, lastApplied)) return undefined;
  const { modified, added, removed } = compare(atom, lastApplied, liveValue);
  return toFieldSet(atom, lastApplied).difference(modified).difference(added).difference(removed);
}

function parseConfiguration(text: string, kind: GroupVersionKind): Json | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Whatever else a client keeps there is no configuration.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isJsonObject(value)) return undefined;
  return value['apiVersion'] === groupVersion(kind) && value['kind'] === kind.kind ? value : undefined;
}

function isValid(atom: Atom, value: Json): boolean {
  try {
    validate(atom, value, false);
    return true;
  } catch (error) {
    if (error instanceof TypedError) return false;
    throw error;
  }
}
