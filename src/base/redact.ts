const REDACTED = '[redacted]';
const MAX_DEPTH = 8;
const MAX_TEXT = 8_192;
const MAX_ENTRIES = 200;

const SECRET_NAME =
  /(?:^|[-_.])(?:key|keys|pass)$|(?:tokens?|password|passwd|kubeconfig|authorization|cookie|credentials?|privatekey|secretkey|signingkey|clientkey|key-?data)$/i;
const CAMEL_KEY = /[a-z0-9]Key$/;
/** Names that look like credentials and are not: log fields must not vanish by accident. */
const PLAIN_NAMES = new Set(['publickey', 'public-key', 'public_key', 'continuetoken']);

/** True for a field whose value must never be written. */
export function isSecretName(name: string): boolean {
  if (PLAIN_NAMES.has(name.toLowerCase())) return false;
  return SECRET_NAME.test(name) || CAMEL_KEY.test(name);
}

const PEM_KEY = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g;
/** The same in base64, as Secrets and kubeconfigs carry it: the encoded `-----BEGIN ` of PRIVATE, EC and RSA keys. */
const ENCODED_PEM_KEY = /\bLS0tLS1CRUdJTiB(?:QUklW|FQyBQ|SU0Eg)[A-Za-z0-9+/=]*/g;
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
/** Three dotted base64url parts, the first an encoded `{"`: a JSON web token. */
const JSON_WEB_TOKEN = /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*/g;
const BOOTSTRAP_TOKEN = /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g;
/** `token: x`, `"password":"x"`, `client-key-data=x` inside a text. */
const ASSIGNED = /\b(token|password|client-key-data)("?\s*[:=]\s*"?)(?!\[redacted\])[^\s",}]{6,}/gi;
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]+):[^\s@/]+@/gi;

function redactText(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
  return short
    .replace(PEM_KEY, REDACTED)
    .replace(ENCODED_PEM_KEY, REDACTED)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(JSON_WEB_TOKEN, REDACTED)
    .replace(BOOTSTRAP_TOKEN, REDACTED)
    .replace(ASSIGNED, `$1$2${REDACTED}`)
    .replace(URL_PASSWORD, `$1:${REDACTED}@`);
}

/** A copy of `value`, fit for JSON, without credentials: by the name of the field, by the look of the text, and the payload of Secrets. */
export function redact(value: unknown): unknown {
  return redactValue(value, 0, new Set());
}

function redactValue(value: unknown, depth: number, path: Set<object>): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
      return `[function ${value.name}]`;
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (path.has(value)) return '[circular]';
  if (depth >= MAX_DEPTH) return '[deep]';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  path.add(value);
  try {
    if (value instanceof Error) return redactError(value, depth, path);
    if (Array.isArray(value)) {
      const items = value.slice(0, MAX_ENTRIES).map((item: unknown) => redactValue(item, depth + 1, path));
      return value.length > MAX_ENTRIES ? [...items, `… (${value.length} items)`] : items;
    }
    if (value instanceof Map)
      return redactEntries(
        [...value].map(([k, v]) => [String(k), v]),
        false,
        depth,
        path,
      );
    if (value instanceof Set) return redactValue([...value], depth, path);
    return redactEntries(Object.entries(value), (value as { kind?: unknown }).kind === 'Secret', depth, path);
  } finally {
    path.delete(value);
  }
}

function redactEntries(
  entries: readonly [string, unknown][],
  isSecret: boolean,
  depth: number,
  path: Set<object>,
): object {
  const out: Record<string, unknown> = {};
  for (const [name, item] of entries.slice(0, MAX_ENTRIES)) {
    const hidden = isSecretName(name) || (isSecret && (name === 'data' || name === 'stringData'));
    const hide = hidden && item !== undefined && item !== null && typeof item !== 'boolean';
    out[name] = hide ? REDACTED : redactValue(item, depth + 1, path);
  }
  if (entries.length > MAX_ENTRIES) out['…'] = `${entries.length} fields`;
  return out;
}

function redactError(error: Error, depth: number, path: Set<object>): object {
  const code: unknown = (error as { code?: unknown }).code;
  const errors: unknown = (error as { errors?: unknown }).errors;
  return {
    name: error.name,
    message: redactText(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1, path) }),
    ...(Array.isArray(errors) ? { errors: redactValue(errors, depth + 1, path) } : {}),
  };
}
