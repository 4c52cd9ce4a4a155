import type { ResourceDefinition } from '../../../apiserver/registry/definition.ts';
import { GROUP, VERSION } from '../../api/group.ts';
import { kubeconfigGenerator } from '../../api/kubeconfig-generator.ts';
import type { KubeconfigGenerator } from '../../api/kubeconfig-generator.ts';
import { kubeconfigGeneratorStrategy } from './strategy.ts';

export const kubeconfigGenerators: ResourceDefinition<KubeconfigGenerator> = {
  group: GROUP,
  version: VERSION,
  kind: 'KubeconfigGenerator',
  plural: 'kubeconfiggenerators',
  singular: 'kubeconfiggenerator',
  shortNames: ['kc'],
  categories: ['kamaji'],
  namespaced: false,
  schema: kubeconfigGenerator,
  strategy: kubeconfigGeneratorStrategy,
  printerColumns: [
    { name: 'Age', type: 'date', description: 'Time since creation.', jsonPath: '.metadata.creationTimestamp' },
  ],
  subresources: { status: true },
};
