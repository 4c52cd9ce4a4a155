import { createFieldManager } from '../../apimachinery/managedfields/field-manager.ts';
import type { FieldManager, FieldManagerFacts } from '../../apimachinery/managedfields/field-manager.ts';
import type { ManagedFieldsEntry } from '../../apimachinery/object.ts';
import { newInternalError } from '../../apimachinery/status.ts';
import { withoutManagedFields } from './object-lifecycle.ts';

/** Stands in until the tracker is there. */
export function fieldManagerFor(facts: FieldManagerFacts): FieldManager {
  try {
    return createFieldManager(facts);
  } catch {
    return {
      update: (_live, next) => withoutManagedFields(next),
      apply: () => {
        throw newInternalError('server-side apply is not there yet');
      },
    };
  }
}

export function validateManagedFields(_entries: readonly ManagedFieldsEntry[]): void {}

export function toScaleFields(_entries: readonly ManagedFieldsEntry[], _paths: unknown): readonly ManagedFieldsEntry[] {
  return [];
}

export function toParentFields(
  before: readonly ManagedFieldsEntry[],
  _entries: readonly ManagedFieldsEntry[],
  _apiVersion: string,
  _paths: unknown,
): readonly ManagedFieldsEntry[] {
  return before;
}
