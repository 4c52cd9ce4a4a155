import type { Strategy } from '../../../apiserver/registry/definition.ts';
import type { KubeconfigGenerator } from '../../api/kubeconfig-generator.ts';
import {
  kubeconfigGeneratorWarnings,
  validateKubeconfigGenerator,
  validateKubeconfigGeneratorUpdate,
} from './validation.ts';

export const kubeconfigGeneratorStrategy: Strategy<KubeconfigGenerator> = {
  validateCreate: validateKubeconfigGenerator,
  validateUpdate: validateKubeconfigGeneratorUpdate,
  warnings: kubeconfigGeneratorWarnings,
};
