import type { Strategy } from '../../../apiserver/registry/definition.ts';
import type { DataStore } from '../../api/data-store.ts';
import { validateDataStore, validateDataStoreUpdate } from './validation.ts';

export const dataStoreStrategy: Strategy<DataStore> = {
  validateCreate: validateDataStore,
  validateUpdate: validateDataStoreUpdate,
};
