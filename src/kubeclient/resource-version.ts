/**
 * Negative, zero or positive, as `a` is older than, the same as, or newer than `b`. Both are decimal numbers of any length and of one
 * resource (k8s.io/apimachinery/pkg/util/resourceversion). Undefined for what is none.
 */
export function compareResourceVersions(a: string | undefined, b: string | undefined): number | undefined {
  if (a === undefined || b === undefined || !DECIMAL.test(a) || !DECIMAL.test(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a === b ? 0 : a < b ? -1 : 1;
}

const DECIMAL = /^(?:0|[1-9][0-9]*)$/;
