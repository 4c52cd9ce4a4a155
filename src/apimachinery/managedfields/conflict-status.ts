import { goQuote } from '../go-format.ts';
import { formatPath } from '../fieldpath/path-element.ts';
import type { Conflict } from '../merge/conflicts.ts';
import type { StatusError } from '../status.ts';
import { newApplyConflict } from '../status.ts';
import { compareText } from '../text-order.ts';
import { parseManagerIdentifier } from './manager-identifier.ts';

/** 409 with a cause for each field. k8s.io/apimachinery/pkg/util/managedfields/internal, conflict.go. */
export function newConflictStatus(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${printManager(manager)}`,
    field: formatPath(path),
  }));
  return newApplyConflict(causes, messageOf(conflicts));
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${printManager(first.manager)}: ${formatPath(first.path)}`;
  }
  const lines: string[] = [];
  for (const manager of [...new Set(conflicts.map((conflict) => conflict.manager))].sort(compareText)) {
    lines.push(`conflicts with ${printManager(manager)}:`);
    for (const conflict of conflicts) if (conflict.manager === manager) lines.push(`- ${formatPath(conflict.path)}`);
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function printManager(identifier: string): string {
  const { manager, operation, apiVersion, subresource } = parseManagerIdentifier(identifier);
  const name = goQuote(manager) + (subresource === '' ? '' : ` with subresource ${goQuote(subresource)}`);
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}
