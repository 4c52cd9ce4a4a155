import type { ResourceDefinition } from '../../../apiserver/registry/definition.ts';
import { dataStore } from '../../api/data-store.ts';
import type { DataStore } from '../../api/data-store.ts';
import { GROUP, VERSION } from '../../api/group.ts';
import { dataStoreStrategy } from './strategy.ts';

export const dataStores: ResourceDefinition<DataStore> = {
  group: GROUP,
  version: VERSION,
  kind: 'DataStore',
  plural: 'datastores',
  singular: 'datastore',
  shortNames: [],
  categories: [],
  namespaced: false,
  schema: dataStore,
  strategy: dataStoreStrategy,
  printerColumns: [
    { name: 'Driver', type: 'string', description: 'Kind of the store.', jsonPath: '.spec.driver' },
    { name: 'Ready', type: 'boolean', description: 'Whether tenants can be set up in it.', jsonPath: '.status.ready' },
    { name: 'Age', type: 'date', description: 'Time since creation.', jsonPath: '.metadata.creationTimestamp' },
  ],
  subresources: { status: true },
};
