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
  if (isList(twin) && isList(ours)) {
    const shared = Math.min(twin.length, ours.length);
    return [
      ...compare(twin.length, ours.length, below('length')),
      ...twin.slice(0, shared).flatMap((item, index) => compare(item, ours[index], below(index))),
      ...twin.slice(shared).map((item, index) => ({ path: below(shared + index), twin: item, ours: undefined })),
      ...ours.slice(shared).map((item, index) => ({ path: below(shared + index), twin: undefined, ours: item })),
    ];
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
