import { redact } from '../../base/redact.ts';

const MAX_LENGTH = 1_024;

/** Text of an error of any origin, fit for a condition: without credentials, and short enough to be stored and read. */
export function conditionMessage(text: string): string {
  const clean = String(redact(text));
  return clean.length <= MAX_LENGTH ? clean : `${clean.slice(0, MAX_LENGTH - 1)}…`;
}
