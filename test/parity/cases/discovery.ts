import type { ParityCase } from '../case.ts';
import { get, parity } from '../case.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;q=0.9';

export const cases: readonly ParityCase[] = [
  parity('discovery: resources of the rich kinds', get('/apis/$R/v1')),
  parity('discovery: the group', get('/apis/$R')),
  parity('discovery: the group of the product', get('/apis/$G')),
  parity('discovery: the version with a slash behind', get('/apis/$R/v1/')),
  parity('discovery: as YAML', get('/apis/$R/v1', { Accept: 'application/yaml' })),
  parity('discovery: as text', get('/apis/$R/v1', { Accept: 'text/plain' })),
  parity('discovery: as protobuf or JSON', get('/apis/$R/v1', { Accept: 'application/x-none, application/json' })),
  parity('discovery: aggregated asked of a version', get('/apis/$R/v1', { Accept: AGGREGATED })),
  parity('discovery: an unknown version', get('/apis/$R/v7')),
  parity('discovery: pretty', get('/apis/$R/v1?pretty=true')),
];
