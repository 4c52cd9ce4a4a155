import { goJsonString } from '../go-value.ts';

/**
 * Who writes through which endpoint: appliers are one manager over all versions, updaters one a version. The identifier is JSON of
 * these, and messages list managers in the order of that text.
 * k8s.io/apimachinery/pkg/util/managedfields/internal, managedfields.go, BuildManagerIdentifier.
 */
export interface ManagerFacts {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
}

export function managerIdentifier({ manager, operation, apiVersion, subresource }: ManagerFacts): string {
  const parts: string[] = [];
  if (manager !== '') parts.push(`"manager":${goJsonString(manager)}`);
  parts.push(`"operation":"${operation}"`);
  if (operation === 'Update' && apiVersion !== '') parts.push(`"apiVersion":${goJsonString(apiVersion)}`);
  if (subresource !== '') parts.push(`"subresource":${goJsonString(subresource)}`);
  return `{${parts.join(',')}}`;
}

/** The facts in an identifier; `apiVersion` is empty for appliers. */
export function parseManagerIdentifier(identifier: string): ManagerFacts {
  return {
    manager: '',
    apiVersion: '',
    subresource: '',
    ...(JSON.parse(identifier) as Pick<ManagerFacts, 'operation'>),
  };
}
