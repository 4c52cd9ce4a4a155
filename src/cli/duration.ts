import { UsageError } from './usage-error.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of the value of `--<flag>`. @throws UsageError */
export function readDuration(flag: string, value: string): number {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(value);
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) throw new UsageError(`--${flag} must be like 10s, 5m or 24h, not ${value}`);
  return Number(match[1]) * unit;
}
