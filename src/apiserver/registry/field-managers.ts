import { createFieldManager } from '../../apimachinery/managedfields/field-manager.ts';
import type { FieldManager } from '../../apimachinery/managedfields/field-manager.ts';
import type { Schema } from '../../apimachinery/schema/schema.ts';
import type { ResourceDefinition } from './definition.ts';

/** The fields of an autoscaling/v1 Scale, the shape of every scale subresource. */
export const scaleSchema: Schema = {
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { replicas: { type: 'integer', format: 'int32' } } },
    status: {
      type: 'object',
      properties: { replicas: { type: 'integer', format: 'int32' }, selector: { type: 'string' } },
    },
  },
};

/**
 * The field manager of each endpoint of a resource by subresource ('' is the object itself), made when first asked for. Endpoints
 * differ in what a write through them resets: k8s.io/apiextensions-apiserver/pkg/registry/customresource (GetResetFields) and
 * pkg/apiserver/customresource_handler.go (scopeWithFieldManager).
 */
export function newFieldManagers(definition: ResourceDefinition): (subresource: string) => FieldManager {
  const managers = new Map<string, FieldManager>();
  return (subresource) => {
    const known = managers.get(subresource);
    if (known !== undefined) return known;
    const manager = makeFieldManager(definition, subresource);
    managers.set(subresource, manager);
    return manager;
  };
}

function makeFieldManager(definition: ResourceDefinition, subresource: string): FieldManager {
  const { schema, group, version, kind, subresources } = definition;
  if (subresource === 'scale') {
    const facts = { group: 'autoscaling', version: 'v1', kind: 'Scale', subresource, resetFields: [] };
    return createFieldManager({ schema: scaleSchema, ...facts });
  }
  const main = subresources.status === true ? [['status']] : [];
  const resetFields = subresource === 'status' ? [['metadata'], ['spec']] : main;
  return createFieldManager({ schema, group, version, kind, subresource, resetFields });
}
