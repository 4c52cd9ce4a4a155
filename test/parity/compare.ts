import type { Comparable } from './normalise.ts';
import { isList, isObject } from './normalise.ts';

export interface Difference {
  /** Such as `2.body.details.causes.0.message`: the third compared answer. */
  readonly path: string;
  /** Undefined: not there. */
  readonly twin: Comparable | undefined;
  readonly ours: Comparable | undefined;
}

/** Every place where the two differ, as deep down as it goes. */
export function compare(twin: Comparable | undefined, ours: Comparable | undefined, path = ''): readonly Difference[] {
  const below = (key: string | number): string => (path === '' ? String(key) : `${path}.${key}`);
  if (isList(twin) && isList(ours) && twin.length === ours.length) {
    return twin.flatMap((item, index) => compare(item, ours[index], below(index)));
  }
  if (isObject(twin) && isObject(ours)) {
    const keys = [...new Set([...Object.keys(twin), ...Object.keys(ours)])].sort();
    return keys.flatMap((key) =>
      compare(
        Object.hasOwn(twin, key) ? twin[key] : undefined,
        Object.hasOwn(ours, key) ? ours[key] : undefined,
        below(key),
      ),
    );
  }
  return twin === ours || JSON.stringify(twin) === JSON.stringify(ours) ? [] : [{ path, twin, ours }];
}
