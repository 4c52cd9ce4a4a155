/** Flags of one of upstream's programs by name, without dashes. A list is the same flag given several times. */
export type Flags = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface ArgumentRules {
  /** Flags whose value is ours: the user's are dropped. */
  readonly managed?: Flags;
  /** Flags that the user's replace. */
  readonly defaults?: Flags;
  /** As given by the user: `--flag=value`, `--flag`, or `--flag` and its value as two items. */
  readonly extra?: readonly string[] | undefined;
}

/**
 * The command line: our flags sorted, then the user's as they are, in their order, those given several times included.
 * Two spellings of a flag are one (`--a_b` and `--a-b`: k8s.io/component-base/cli/flag, WordSepNormalizeFunc).
 */
export function mergeArguments(rules: ArgumentRules): readonly string[] {
  const managed = present(rules.managed);
  const groups = groupByFlag(rules.extra ?? []).filter(({ flag }) => flag === undefined || !managed.has(flag));
  const given = new Set(groups.map(({ flag }) => flag));
  const own = new Map([...[...present(rules.defaults)].filter(([flag]) => !given.has(flag)), ...managed]);
  return [
    ...[...own]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([flag, values]) => values.map((value) => `--${flag}=${value}`)),
    ...groups.flatMap(({ items }) => items),
  ];
}

/** Whether the user gives a flag. */
export function hasFlag(extra: readonly string[] | undefined, flag: string): boolean {
  return groupByFlag(extra ?? []).some((group) => group.flag === flag);
}

function present(flags: Flags = {}): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, readonly string[]>();
  for (const [flag, value] of Object.entries(flags)) {
    if (value !== undefined) map.set(flag, typeof value === 'string' ? [value] : value);
  }
  return map;
}

interface ArgumentGroup {
  /** Undefined: the item is no long flag. */
  readonly flag: string | undefined;
  readonly items: readonly string[];
}

/** A flag and the values that follow it as items of their own, so that both are dropped together. */
function groupByFlag(items: readonly string[]): readonly ArgumentGroup[] {
  const groups: { flag: string | undefined; items: string[] }[] = [];
  for (const item of items) {
    const match = /^--([^=]+)/.exec(item);
    const last = groups.at(-1);
    if (match?.[1] !== undefined) groups.push({ flag: match[1].replaceAll('_', '-'), items: [item] });
    else if (
      !item.startsWith('-') &&
      last?.items.length === 1 &&
      last.flag !== undefined &&
      !last.items[0]?.includes('=')
    ) {
      last.items.push(item);
    } else groups.push({ flag: undefined, items: [item] });
  }
  return groups;
}
