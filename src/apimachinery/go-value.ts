import type { Json, JsonObject } from './object.ts';
import { goQuote } from './go-format.ts';
import { isJsonObject } from './json.ts';
import { compareText } from './text-order.ts';

/** JSON values printed as Go prints what its decoder made of them, for messages that carry them. */

/** `%v` of a float64: shortest digits, an exponent below -4 and from 6 up. */
export function formatGoFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return plainDigits(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** Shortest digits without an exponent. */
function plainDigits(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return value.toFixed(20).replace(/\.?0+$/, '');
}

function formatGoNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? BigInt(value).toString() : formatGoFloat(value);
}

/** `%v`. */
export function formatGoValue(value: Json): string {
  if (value === null) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatGoNumber(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => formatGoValue(item)).join(' ')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  return `map[${entries(value)
    .map(([key, item]) => `${key}:${formatGoValue(item)}`)
    .join(' ')}]`;
}

/** `%#v`. */
export function formatGoSyntax(value: Json): string {
  if (value === null) return 'interface {}(nil)';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number') return formatGoNumber(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map((item: Json) => formatGoSyntax(item)).join(', ')}}`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  return `map[string]interface {}{${entries(value)
    .map(([key, item]) => `${goQuote(key)}:${formatGoSyntax(item)}`)
    .join(', ')}}`;
}

/** `%T`. */
export function goTypeName(value: Json): string {
  if (value === null) return '<nil>';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

function entries(object: JsonObject): readonly (readonly [string, Json])[] {
  const keys = Object.keys(object).sort(compareText);
  return keys.flatMap((key) => (object[key] === undefined ? [] : [[key, object[key]] as const]));
}

/** A string in JSON as Go's encoders write it: `<`, `>`, `&` and the line separators escaped. */
export function goJsonString(text: string): string {
  const plain = JSON.stringify(text);
  if (!/[<>&\u2028\u2029\b\f\\]/.test(plain)) return plain;
  return plain.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** JSON as encoding/json writes it: keys sorted, strings escaped for HTML. */
export function goJson(value: Json): string {
  return writeJson(value, JSON.stringify);
}

/** JSON as json-iterator writes it, which gives exponents two digits. */
export function jsoniterJson(value: Json): string {
  return writeJson(value, (number) => JSON.stringify(number).replace(/e-(\d)$/, 'e-0$1'));
}

function writeJson(value: Json, writeNumber: (value: number) => string): string {
  if (typeof value === 'string') return goJsonString(value);
  if (typeof value === 'number') return writeNumber(value);
  if (typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => writeJson(item, writeNumber)).join(',')}]`;
  return `{${entries(value as JsonObject)
    .map(([key, item]) => `${goJsonString(key)}:${writeJson(item, writeNumber)}`)
    .join(',')}}`;
}
