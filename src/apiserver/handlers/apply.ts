import { DecodeError, decodeJson } from '../../apimachinery/json-text.ts';
import type { DecodedText } from '../../apimachinery/json-text.ts';
import { isJsonObject } from '../../apimachinery/json.ts';
import { decodeObjectMeta } from '../../apimachinery/object-meta.ts';
import type { JsonObject, KubeObject } from '../../apimachinery/object.ts';
import { newBadRequest, newConflict, newInvalid } from '../../apimachinery/status.ts';
import { readBody } from '../body.ts';
import { parseApplyOptions } from '../options.ts';
import type { ApplyOptions } from '../options.ts';
import { negotiateAnswer, sendObject } from './answer.ts';
import { ensureAuthorized } from './authorize.ts';
import { inNamespace, warnAbout } from './create.ts';
import { decodeText, goKind, linesOf } from './decode.ts';
import type { Exchange } from './exchange.ts';
import { admissionRequest, mutate } from './exchange.ts';
import { fieldManagerOf, nowOf } from './field-ownership.ts';
import { once } from './once.ts';
import { admitUpdate, checkName, updateTarget } from './update.ts';

/** What a client wants of an object, as sent. */
export interface Configuration {
  readonly value: JsonObject;
  /** Repeated keys, a line each. */
  readonly findings: readonly string[];
}

/** Server-side apply of an object or its status. endpoints/handlers/patch.go, applyPatcher. */
export async function handleApply(exchange: Exchange): Promise<void> {
  const { context, endpoint } = exchange;
  const { info } = context;
  const form = negotiateAnswer(exchange, 'object');
  const body = await readBody(exchange.request, context.signal);
  const options = parseApplyOptions(context.query);
  const { dryRun } = options;
  const configuration = once(() => parseConfiguration(body.toString('utf8')));
  const applied = (old: KubeObject | undefined): Promise<KubeObject> => {
    const object = merged(exchange, configuration(), old, options);
    const operation = old === undefined ? 'CREATE' : 'UPDATE';
    return mutate(exchange, { operation, name: info.name, object, old, dryRun });
  };
  const request = {
    ...updateTarget(exchange),
    dryRun,
    next: applied,
    admit: (next: KubeObject, old: KubeObject) => admitUpdate(exchange, next, old, dryRun),
  };
  if (info.subresource !== '') return sendObject(exchange, form, 200, await endpoint.store.update(request));
  const { stored, created } = await endpoint.store.apply({
    ...request,
    born: () => applied(undefined),
    admitBorn: (object) => admitBorn(exchange, object, dryRun),
  });
  await sendObject(exchange, form, created ? 201 : 200, stored);
}

function merged(
  exchange: Exchange,
  configuration: Configuration,
  old: KubeObject | undefined,
  options: ApplyOptions,
): KubeObject {
  const { resource } = exchange.endpoint;
  const { info } = exchange.context;
  const live = old ?? { apiVersion: resource.apiVersion, kind: resource.kind, metadata: {} };
  const result = applyConfiguration(exchange, configuration, live, options);
  const nulls = resource.findNulls(result);
  if (nulls.length > 0) throw newInvalid(resource.groupKind, info.name, nulls);
  const metadata = typedMetadata(result);
  if (old === undefined && metadata.uid !== undefined) {
    const why = `uid mismatch: the provided object specified uid ${metadata.uid}, and no existing object was found`;
    throw newConflict(resource.groupResource, info.name, why);
  }
  // The merge keeps what is only half free of the schema; the storage does not.
  const { object: pruned } = resource.prune({ ...result, metadata });
  const object = inNamespace(resource.default(pruned), info.namespace);
  checkName(object, info.name);
  return object;
}

/**
 * `live` with what the configuration says. Repeated keys are told after what is wrong with the configuration itself.
 * @throws StatusError (400, also for what does not fit the schema; 409 for fields of others)
 */
export function applyConfiguration(
  exchange: Exchange,
  configuration: Configuration,
  live: KubeObject,
  options: ApplyOptions,
): KubeObject {
  const { value, findings } = configuration;
  const { fieldManager, force, fieldValidation } = options;
  const result = fieldManagerOf(exchange).apply(
    live,
    value as unknown as KubeObject,
    fieldManager,
    force,
    nowOf(exchange),
  );
  if (findings.length > 0 && fieldValidation === 'Strict') {
    const lines = findings.map((finding) => `  ${finding}`).join('\n');
    throw newBadRequest(`error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n${lines}`);
  }
  if (fieldValidation === 'Warn') for (const finding of findings) exchange.context.warnings.add(finding);
  return result;
}

function typedMetadata(object: KubeObject): KubeObject['metadata'] {
  try {
    return decodeObjectMeta(object.metadata as unknown as JsonObject).metadata;
  } catch (error) {
    if (error instanceof DecodeError) throw newBadRequest(`metadata cannot be read: ${error.message}`);
    throw error;
  }
}

/** Who may patch may not create for that reason. endpoints/handlers/update.go, withAuthorization. */
async function admitBorn(exchange: Exchange, object: KubeObject, dryRun: boolean): Promise<void> {
  const { context, endpoint } = exchange;
  warnAbout(exchange, object, undefined);
  await ensureAuthorized(endpoint.authorizer, context, { verb: 'create' });
  const { name } = context.info;
  await endpoint.admission.validate(
    admissionRequest(exchange, { operation: 'CREATE', name, object, old: undefined, dryRun }),
  );
}

/** JSON is YAML, but read a hundred times as fast. @throws StatusError (400, 413) */
export function parseConfiguration(text: string): Configuration {
  const { value, findings } = parseText(text);
  if (value !== null && !isJsonObject(value)) {
    throw undecodable(
      `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${goKind(value)} into Go value of type map[string]interface {}`,
    );
  }
  return { value: value ?? {}, findings: findings.flatMap(linesOf) };
}

function parseText(text: string): DecodedText {
  const json = asJson(text);
  // Repeated keys are told by their line, as Kubernetes tells them of YAML.
  if (json !== undefined && json.findings.length === 0) return json;
  try {
    return decodeText(text, 'yaml');
  } catch (error) {
    if (error instanceof DecodeError) throw undecodable(error.message);
    throw error;
  }
}

function asJson(text: string): DecodedText | undefined {
  try {
    return decodeJson(text);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function undecodable(why: string): Error {
  return newBadRequest(`error decoding YAML: ${why}`);
}
