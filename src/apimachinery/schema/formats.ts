/**
 * The string formats that apiextensions checks and our schemas use; others are only documentation.
 * k8s.io/kube-openapi/pkg/validation/strfmt.
 */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  byte: isBase64,
  'date-time': isDateTime,
};

export function checksFormat(format: string): boolean {
  return Object.hasOwn(FORMATS, format);
}

/** True for formats that are not checked. */
export function hasFormat(format: string, text: string): boolean {
  return !checksFormat(format) || FORMATS[format]?.(text) === true;
}

/** Standard alphabet with padding; empty text is none. */
export function isBase64(text: string): boolean {
  return text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})t([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(z|[+-]\d{2}:\d{2})$/i;

/** RFC 3339 with a day that exists. */
export function isDateTime(text: string): boolean {
  const match = DATE_TIME.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  return month >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
