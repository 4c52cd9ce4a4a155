import { invalidValue } from '../../apimachinery/field-error.ts';
import { goQuote } from '../../apimachinery/go-format.ts';
import { DecodeError, decodeJson, NumberError } from '../../apimachinery/json-text.ts';
import type { DecodedText } from '../../apimachinery/json-text.ts';
import { isJsonObject } from '../../apimachinery/json.ts';
import type { Json, JsonObject, KubeObject } from '../../apimachinery/object.ts';
import { decodeObjectMeta } from '../../apimachinery/object-meta.ts';
import { newBadRequest, newInvalid, newRequestTooLarge } from '../../apimachinery/status.ts';
import { decodeYaml } from '../../apimachinery/yaml-text.ts';
import type { FieldValidation } from '../options.ts';
import type { Resource } from '../registry/resource.ts';
import type { Warnings } from '../warnings.ts';

/** Bodies into objects. Messages: k8s.io/apiserver/pkg/endpoints/handlers (rest.go, transformDecodeError). */

export interface DecodedObject {
  readonly object: KubeObject;
  /** Unknown and duplicate fields, in words. */
  readonly findings: readonly string[];
}

/**
 * YAML takes a hundred times as long to read as JSON, during which nobody else is served; clients that send much send JSON, and
 * so does kubectl always.
 */
const maxYamlLength = 256 * 1024;

/** @throws DecodeError, StatusError (413) */
export function decodeText(text: string, encoding: 'json' | 'yaml'): DecodedText {
  if (encoding === 'yaml' && text.length > maxYamlLength)
    throw newRequestTooLarge(`limit is ${maxYamlLength} for YAML, send JSON`);
  return encoding === 'json' ? decodeJson(text) : decodeYaml(text);
}

/**
 * A whole object of `resource` out of a body: typed metadata, unknown fields taken out, defaults put in.
 * @throws StatusError (400)
 */
export function decodeBody(
  resource: Resource,
  body: Buffer,
  encoding: 'json' | 'yaml',
  validation: FieldValidation,
  warnings: Warnings,
): KubeObject {
  const kind = resource.kind;
  const text = body.toString('utf8');
  const { value, findings } = parseOrRefuse(text, encoding, resource, body);
  if (value !== null && !isJsonObject(value)) throw unrecognized(kind, noObjectMessage(value), body);
  const { apiVersion, kind: sentKind } = typeOf(value ?? {}, kind, body);
  if (value === null || sentKind === '') throw unrecognized(kind, `Object 'Kind' is missing in '${text}'`, body);
  if (apiVersion.split('/').length > 2) throw unrecognized(kind, `unexpected GroupVersion string: ${apiVersion}`, body);
  try {
    const decoded = toObject(resource, value);
    reportFindings([...findings, ...decoded.findings], validation, warnings);
    if (apiVersion !== resource.apiVersion) {
      throw newBadRequest(
        `the API version in the data (${apiVersion}) does not match the expected API version (${resource.apiVersion})`,
      );
    }
    checkType(resource, value, decoded.object.metadata.name ?? '');
    return decoded.object;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw newBadRequest(
      `${sentKind} in version ${goQuote(apiVersion.split('/').at(-1) ?? '')} cannot be handled as a ${kind}: ${error.message}`,
    );
  }
}

/** What the body says it is; without saying so, nothing. @throws StatusError (400) */
function typeOf(value: JsonObject, kind: string, body: Buffer): { readonly apiVersion: string; readonly kind: string } {
  const { apiVersion, kind: sentKind } = value;
  for (const [field, given] of Object.entries({ apiVersion, kind: sentKind })) {
    if (given === undefined || given === null || typeof given === 'string') continue;
    const why = `json: cannot unmarshal ${goKind(given)} into Go struct field .${field} of type string`;
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${why}`, body);
  }
  return { apiVersion: textOf(apiVersion ?? undefined), kind: textOf(sentKind ?? undefined) };
}

/** Go's complaint about a body that is JSON but no object. */
export function noObjectMessage(value: Json): string {
  const goType =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  return `couldn't get version/kind; json parse error: json: cannot unmarshal ${goKind(value)} into Go value of type ${goType}`;
}

function parseOrRefuse(text: string, encoding: 'json' | 'yaml', resource: Resource, body: Buffer): DecodedText {
  const { kind, definition } = resource;
  try {
    return decodeText(text, encoding);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    // Go finds the type before it reads the values.
    if (error instanceof NumberError) {
      throw newBadRequest(
        `${kind} in version ${goQuote(definition.version)} cannot be handled as a ${kind}: ${error.message}`,
      );
    }
    const why =
      encoding === 'json'
        ? `couldn't get version/kind; json parse error: ${error.message}`
        : error.message.replace(/^error converting YAML to JSON: /, '');
    throw unrecognized(kind, why, body);
  }
}

function unrecognized(kind: string, why: string, body: Buffer): Error {
  return newBadRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(body)})`);
}

function summary(body: Buffer): string {
  if (body.length === 0) return '<empty>';
  const head = body.subarray(0, 30);
  const shown = body[0] === 0x7b ? head.toString('utf8') : head.toString('hex');
  return body.length > 30 ? `${shown} ...` : shown;
}

/** Go's word for the type of a JSON value. */
export function goKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** @throws StatusError (422) when the object is of another type than the resource (customresource/validator.go, ValidateTypeMeta) */
export function checkType(resource: Resource, value: JsonObject, name: string): void {
  const kind = textOf(value['kind']);
  const apiVersion = textOf(value['apiVersion']);
  const errors = [
    ...(kind === resource.kind ? [] : [invalidValue('kind', kind, `must be ${resource.kind}`)]),
    ...(apiVersion === resource.apiVersion
      ? []
      : [invalidValue('apiVersion', apiVersion, `must be ${resource.apiVersion}`)]),
  ];
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  if (errors.length > 0) throw newInvalid({ group, kind }, name, errors);
}

/**
 * Typed, pruned and defaulted. What says to be of another type is left as it is, for others to refuse: only another version of the
 * same kind is looked into, of which no field is known. @throws DecodeError for metadata of the wrong types
 */
export function toObject(resource: Resource, value: JsonObject): DecodedObject {
  const { metadata, unknownFields } = decodeObjectMeta(value['metadata']);
  const raw = { ...value, apiVersion: resource.apiVersion, kind: resource.kind, metadata } as KubeObject;
  const [group = '', version] = textOf(value['apiVersion']).split('/', 2);
  if (value['kind'] !== resource.kind || version === undefined || group !== resource.definition.group)
    return { object: raw, findings: unknownFieldFindings(unknownFields) };
  if (version !== resource.definition.version) {
    const fields = Object.keys(value).filter((key) => !metaKeys.has(key));
    return { object: raw, findings: unknownFieldFindings([...unknownFields, ...fields.sort()]) };
  }
  const pruned = resource.prune(raw);
  const object = resource.default({ ...pruned.object, metadata });
  return {
    object,
    findings: unknownFieldFindings([...unknownFields, ...pruned.unknownFields]),
  };
}

const metaKeys: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

export function unknownFieldFindings(fields: readonly string[]): readonly string[] {
  return fields.map((field) => `unknown field "${field}"`);
}

/** @throws DecodeError when findings are not to be tolerated */
export function reportFindings(findings: readonly string[], validation: FieldValidation, warnings: Warnings): void {
  if (findings.length === 0 || validation === 'Ignore') return;
  if (validation === 'Strict') throw new DecodeError(strictMessage(findings));
  for (const finding of findings) for (const line of linesOf(finding)) warnings.add(line);
}

/** Each line of what YAML has found. endpoints/handlers/rest.go, parseYAMLWarnings. */
export function linesOf(finding: string): readonly string[] {
  const prefix = 'yaml: unmarshal errors:\n';
  if (!finding.startsWith(prefix)) return [finding];
  return finding
    .slice(prefix.length)
    .split('\n')
    .map((line) => line.trim());
}

export function strictMessage(findings: readonly string[]): string {
  return `strict decoding error: ${findings.join(', ')}`;
}
