import { forbiddenValue, invalidValue, requiredValue, unsupportedValue } from '../apimachinery/field-error.ts';
import type { FieldError } from '../apimachinery/field-error.ts';
import { isJsonObject } from '../apimachinery/json.ts';
import { checkFieldManager } from '../apimachinery/meta-validation.ts';
import type { Json, JsonObject } from '../apimachinery/object.ts';
import { newBadRequest, newInvalid } from '../apimachinery/status.ts';

/**
 * Options of writing requests. Rules and texts: k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go.
 */

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
}

export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';

/** @throws StatusError (400, 422) */
export function parseWriteOptions(kind: OptionsKind, query: URLSearchParams): WriteOptions {
  const fieldManager = query.get('fieldManager') ?? '';
  const dryRun = query.getAll('dryRun');
  const fieldValidation = query.get('fieldValidation') ?? '';
  const force = kind === 'PatchOptions' ? parseBool(query.get('force')) : undefined;
  refuse(kind, [
    ...(force === undefined ? [] : [forbiddenValue('force', 'may not be specified for non-apply patch')]),
    ...checkWriteOptions(fieldManager, dryRun, fieldValidation),
  ]);
  return writeOptions(fieldManager, dryRun, fieldValidation);
}

export interface ApplyOptions extends WriteOptions {
  /** Take over what others own. */
  readonly force: boolean;
}

/** Options of a server-side apply. @throws StatusError (422) */
export function parseApplyOptions(query: URLSearchParams): ApplyOptions {
  const fieldManager = query.get('fieldManager') ?? '';
  const dryRun = query.getAll('dryRun');
  const fieldValidation = query.get('fieldValidation') ?? '';
  refuse('PatchOptions', [
    ...(fieldManager === '' ? [requiredValue('fieldManager', 'is required for apply patch')] : []),
    ...checkWriteOptions(fieldManager, dryRun, fieldValidation),
  ]);
  return {
    ...writeOptions(fieldManager, dryRun, fieldValidation),
    force: parseBool(query.get('force')) ?? false,
  };
}

function checkWriteOptions(
  fieldManager: string,
  dryRun: readonly string[],
  fieldValidation: string,
): readonly FieldError[] {
  return [
    ...checkFieldManager('fieldManager', fieldManager),
    ...checkDryRun(dryRun),
    ...checkFieldValidation(fieldValidation),
  ];
}

function writeOptions(fieldManager: string, dryRun: readonly string[], fieldValidation: string): WriteOptions {
  return {
    dryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as FieldValidation),
  };
}

function refuse(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', kind }, '', errors);
}

function checkDryRun(values: readonly string[]): readonly FieldError[] {
  return values.every((value) => value === 'All') ? [] : [unsupportedValue('dryRun', values, ['All'])];
}

function checkFieldValidation(value: string): readonly FieldError[] {
  return ['', 'Ignore', 'Warn', 'Strict'].includes(value)
    ? []
    : [unsupportedValue('fieldValidation', value, ['', 'Ignore', 'Strict', 'Warn'])];
}

/** Go's conversion of query values to bool: `false` and `0` are false, all else is true (Convert_Slice_string_To_bool). */
export function parseBool(value: string | null): boolean | undefined {
  if (value === null) return undefined;
  return value.toLowerCase() !== 'false' && value !== '0';
}

/** Go's conversion of query values to int64. @throws StatusError (400) */
export function parseInteger(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (!/^[+-]?\d+$/.test(value))
    throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  const number = BigInt(value);
  if (BigInt.asIntN(64, number) !== number)
    throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`);
  // No limit and no time that is asked for means anything beyond what a number holds.
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(number)));
}

/** @throws StatusError (400, 422) */
export function deleteOptionsFromQuery(query: URLSearchParams): DeleteOptions {
  const policy = query.get('propagationPolicy');
  const orphan = parseBool(query.get('orphanDependents'));
  parseInteger(query.get('gracePeriodSeconds'));
  return checkedDeleteOptions({
    dryRun: query.getAll('dryRun'),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan }),
  });
}

interface RawDeleteOptions {
  readonly dryRun: readonly string[];
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

function checkedDeleteOptions(raw: RawDeleteOptions): DeleteOptions {
  const { propagationPolicy: policy, orphanDependents } = raw;
  const errors: FieldError[] = [];
  if (policy !== undefined && orphanDependents !== undefined) {
    errors.push(
      invalidValue('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'),
    );
  }
  if (policy !== undefined && policy !== 'Foreground' && policy !== 'Background' && policy !== 'Orphan') {
    errors.push(unsupportedValue('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']));
  }
  refuse('DeleteOptions', [...errors, ...checkDryRun(raw.dryRun)]);
  return {
    dryRun: raw.dryRun.length > 0,
    ...(policy === undefined ? {} : { propagationPolicy: policy as 'Orphan' | 'Background' | 'Foreground' }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(raw.preconditions === undefined ? {} : { preconditions: raw.preconditions }),
  };
}

/** Options out of a request body; any group's DeleteOptions will do. @throws StatusError (400, 422) */
export function deleteOptionsFromBody(body: JsonObject): DeleteOptions {
  const { apiVersion = '', kind = '' } = body;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || (kind !== '' && kind !== 'DeleteOptions')) {
    throw newBadRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
  }
  const policy = optional(body, 'propagationPolicy', 'string');
  const orphan = optional(body, 'orphanDependents', 'boolean');
  optional(body, 'gracePeriodSeconds', 'number');
  const preconditions = readPreconditions(body['preconditions']);
  return checkedDeleteOptions({
    dryRun: readDryRun(body['dryRun']),
    ...(policy === undefined ? {} : { propagationPolicy: policy as string }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan as boolean }),
    ...(preconditions === undefined ? {} : { preconditions }),
  });
}

const goTypes = { string: 'string', boolean: 'bool', number: 'int64' } as const;

function optional(
  body: object,
  key: string,
  type: 'string' | 'boolean' | 'number',
  of = 'DeleteOptions',
): Json | undefined {
  const value = (body as Readonly<Record<string, Json | undefined>>)[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== type) {
    const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    const goType = key === 'propagationPolicy' ? 'v1.DeletionPropagation' : goTypes[type];
    throw newBadRequest(`json: cannot unmarshal ${kind} into Go struct field ${of}.${key} of type ${goType}`);
  }
  return value;
}

function readDryRun(value: Json | undefined): readonly string[] {
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? (value as readonly Json[]) : undefined;
  if (list === undefined || !list.every((item) => typeof item === 'string')) {
    throw newBadRequest('json: cannot unmarshal into Go struct field DeleteOptions.dryRun of type []string');
  }
  return list;
}

function readPreconditions(
  value: Json | undefined,
): { readonly uid?: string; readonly resourceVersion?: string } | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value))
    throw newBadRequest(
      'json: cannot unmarshal into Go struct field DeleteOptions.preconditions of type v1.Preconditions',
    );
  const uid = optional(value, 'uid', 'string', 'Preconditions') as string | undefined;
  const resourceVersion = optional(value, 'resourceVersion', 'string', 'Preconditions') as string | undefined;
  return { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
}

export interface ListOptions {
  readonly resourceVersion: string;
  readonly resourceVersionMatch: '' | 'Exact' | 'NotOlderThan';
  readonly limit: number;
  readonly continueToken: string;
  readonly watch: boolean;
  readonly timeoutSeconds: number | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

/** k8s.io/apimachinery/pkg/apis/meta/internalversion (defaults.go, validation/validation.go). @throws StatusError (400, 422) */
export function parseListOptions(query: URLSearchParams): ListOptions {
  const options: ListOptions = {
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: (query.get('resourceVersionMatch') ?? '') as ListOptions['resourceVersionMatch'],
    limit: Math.max(0, parseInteger(query.get('limit')) ?? 0),
    continueToken: query.get('continue') ?? '',
    watch: parseBool(query.get('watch')) ?? false,
    timeoutSeconds: parseInteger(query.get('timeoutSeconds')),
    allowWatchBookmarks: parseBool(query.get('allowWatchBookmarks')) ?? false,
    sendInitialEvents: parseBool(query.get('sendInitialEvents')),
  };
  const defaulted = withWatchDefaults(options);
  refuse('ListOptions', defaulted.watch ? checkWatchOptions(defaulted) : checkListOptions(defaulted));
  return defaulted;
}

/** A watch from nowhere or from 0 begins with what is there. */
function withWatchDefaults(options: ListOptions): ListOptions {
  const { watch, sendInitialEvents, resourceVersion, resourceVersionMatch: match } = options;
  if (!watch || sendInitialEvents !== undefined || match !== '') return options;
  if (resourceVersion !== '' && resourceVersion !== '0') return options;
  return { ...options, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' };
}

function checkListOptions(options: ListOptions): readonly FieldError[] {
  const { resourceVersionMatch: match, resourceVersion } = options;
  const errors: FieldError[] = [];
  const at = 'resourceVersionMatch';
  if (match !== '') {
    if (resourceVersion === '')
      errors.push(forbiddenValue(at, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (options.continueToken !== '')
      errors.push(forbiddenValue(at, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan')
      errors.push(unsupportedValue(at, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && resourceVersion === '0') {
      errors.push(forbiddenValue(at, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbiddenValue('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  return errors;
}

function checkWatchOptions(options: ListOptions): readonly FieldError[] {
  const { resourceVersionMatch: match, sendInitialEvents } = options;
  const errors: FieldError[] = [];
  const at = 'resourceVersionMatch';
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(forbiddenValue(at, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match !== '') {
    if (sendInitialEvents === undefined) {
      errors.push(
        forbiddenValue(at, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
      );
    }
    if (match !== 'NotOlderThan') errors.push(unsupportedValue(at, match, ['NotOlderThan']));
    if (options.continueToken !== '')
      errors.push(forbiddenValue(at, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  return errors;
}

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** What rows of a Table carry besides their cells. @throws StatusError (400) */
export function parseIncludeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  if (value === '') return 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  const finding = invalidValue('includeObject', value, "must be 'Metadata', 'Object', 'None', or empty");
  throw newBadRequest(`Unable to convert to Table as requested: includeObject: ${finding.message}`);
}
