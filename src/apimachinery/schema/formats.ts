/**
 * The string formats that kube-apiserver checks in custom resources; others are only documentation.
 * k8s.io/kube-openapi/pkg/validation/strfmt.
 */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  byte: isBase64,
  cidr: isCidr,
  date: isDate,
  'date-time': isDateTime,
  duration: isDuration,
  email: isEmail,
  hostname: isHostname,
  ipv4: isIPv4,
  ipv6: isIPv6,
  mac: isMac,
  uri: isUri,
  uuid: isUuid,
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

function isIPv4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text);
}

/** Eight groups, of which one run may be left out; the last two may be an IPv4 address. */
function isIPv6(text: string): boolean {
  const cut = text.lastIndexOf(':') + 1;
  const last = text.slice(cut);
  const plain = isIPv4(last) ? `${text.slice(0, cut)}0:0` : text;
  const halves = plain.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const areHex = groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group));
  return areHex && (halves.length === 2 ? groups.length < 8 : groups.length === 8);
}

/** A day that exists, as `2006-01-02`. */
function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && isDateTime(`${text}T00:00:00Z`);
}

/** A network with or without host bits. */
function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  if (more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(bits)) return false;
  return (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128);
}

/** Labels of letters, digits and dashes, of at most 63 characters each and 255 in all. */
function isHostname(text: string): boolean {
  return (
    text.length <= 255 && /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\.?$/i.test(text)
  );
}

/** `local@domain`, also with a display name: `Jane <jane@example.org>`. */
function isEmail(text: string): boolean {
  const address = /^[^<>]*<([^<>]+)>$/.exec(text)?.[1] ?? text;
  return /^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\"]+$/.test(address);
}

/** Absolute, or a path from the root. */
function isUri(text: string): boolean {
  if (/[\s\p{Cc}]/u.test(text) || /%(?![0-9a-f]{2})/i.test(text)) return false;
  return text.startsWith('/') || /^[a-z][a-z0-9+.-]*:[^\s]*$/i.test(text);
}

/** With or without dashes. */
function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text);
}

/** Six, eight or twenty bytes, between colons, dashes or, in pairs, dots. */
function isMac(text: string): boolean {
  const bytes = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2})*$/i.test(text) ? (text.length + 1) / 3 : 0;
  const pairs = /^[0-9a-f]{4}(?:\.[0-9a-f]{4})+$/i.test(text) ? ((text.length + 1) / 5) * 2 : 0;
  return [6, 8, 20].includes(bytes || pairs);
}

/** Go's durations, and such as `3 days`. */
function isDuration(text: string): boolean {
  return (
    /^[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/.test(text) ||
    /^-?\d+(\.\d+)?\s*(ns|nanos?|us|µs|micros?|ms|millis?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)$/i.test(
      text,
    )
  );
}
