import type { ParityCase } from '../case.ts';
import { cases as verbs } from './b02-verbs.ts';
import { cases as negotiation } from './b03-negotiation.ts';

export interface Section {
  readonly name: string;
  readonly cases: readonly ParityCase[];
}

/** The sections of the suite; one file each. */
export const sections: readonly Section[] = [
  { name: 'verbs and paths', cases: verbs },
  { name: 'content negotiation', cases: negotiation },
];
