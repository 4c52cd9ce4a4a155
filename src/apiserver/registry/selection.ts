import type { FieldSelector } from '../../apimachinery/field-selector.ts';
import type { LabelSelector } from '../../apimachinery/label-selector.ts';
import type { ObjectMeta } from '../../apimachinery/object.ts';
import { nameOfKey } from './keys.ts';
import type { Resource } from './resource.ts';

/** Which objects of a collection a request is about. */
export interface Selection {
  readonly namespace: string;
  readonly labels: LabelSelector;
  /** Over `metadata.name` and `metadata.namespace` only. */
  readonly fields: FieldSelector;
}

export function selectsAll(selection: Selection): boolean {
  return selection.labels.empty && selection.fields.empty;
}

/** The fields are in the key, so an object's text is only looked at for labels. */
export function matchesKey(resource: Resource, selection: Selection, key: string): boolean {
  if (selection.fields.empty) return true;
  const { namespace, name } = nameOfKey(resource, key);
  return selection.fields.matches({ 'metadata.name': name, 'metadata.namespace': namespace });
}

export function matchesLabels(selection: Selection, stored: { readonly labels: ObjectMeta['labels'] }): boolean {
  return selection.labels.empty || selection.labels.matches(stored.labels);
}
