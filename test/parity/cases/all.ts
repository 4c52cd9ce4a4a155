import type { ParityCase } from '../case.ts';
import { cases as verbs } from './b02-verbs.ts';
import { cases as negotiation } from './b03-negotiation.ts';
import { cases as options } from './b04-options.ts';
import { cases as create } from './b05-create.ts';
import { cases as update } from './b06-update.ts';
import { cases as patch } from './b07-patch.ts';
import { cases as applyBodies } from './b08-apply-bodies.ts';
import { cases as applySubresources } from './b08-apply-subresources.ts';
import { cases as apply } from './b08-apply.ts';
import { cases as list } from './b09-list.ts';
import { cases as watch } from './b10-watch.ts';
import { cases as remove } from './b11-delete.ts';
import { cases as limits } from './b13-limits.ts';
import { cases as discovery } from './discovery.ts';
import { cases as scale } from './scale.ts';
import { cases as schema } from './schema.ts';

export interface Section {
  readonly name: string;
  readonly cases: readonly ParityCase[];
}

/** The sections of the suite; one file each. */
export const sections: readonly Section[] = [
  { name: 'verbs and paths', cases: verbs },
  { name: 'content negotiation', cases: negotiation },
  { name: 'options', cases: options },
  { name: 'create', cases: create },
  { name: 'update', cases: update },
  { name: 'patch', cases: patch },
  { name: 'server-side apply', cases: apply },
  { name: 'server-side apply of subresources', cases: applySubresources },
  { name: 'bodies of server-side apply', cases: applyBodies },
  { name: 'get and list', cases: list },
  { name: 'watch', cases: watch },
  { name: 'delete', cases: remove },
  { name: 'limits', cases: limits },
  { name: 'discovery', cases: discovery },
  { name: 'scale', cases: scale },
  { name: 'schema and numbers', cases: schema },
];
