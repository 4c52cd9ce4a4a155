import {
  applyJsonPatch,
  MalformedPatchError,
  parseJsonPatch,
  PatchFailedError,
} from '../../apimachinery/json-patch.ts';
import { invalidValue } from '../../apimachinery/field-error.ts';
import { DecodeError, decodeJson } from '../../apimachinery/json-text.ts';
import { isJsonObject } from '../../apimachinery/json.ts';
import { goJson } from '../../apimachinery/go-value.ts';
import { mergePatch } from '../../apimachinery/merge-patch.ts';
import type { Json, JsonObject, KubeObject } from '../../apimachinery/object.ts';
import {
  newBadRequest,
  newInvalid,
  newRequestTooLarge,
  newUnprocessable,
  newUnsupportedMediaType,
} from '../../apimachinery/status.ts';
import { readBody } from '../body.ts';
import type { FieldValidation } from '../options.ts';
import { parseWriteOptions } from '../options.ts';
import type { Warnings } from '../warnings.ts';
import { negotiateAnswer, sendObject } from './answer.ts';
import { handleApply } from './apply.ts';
import { inNamespace } from './create.ts';
import { checkType, strictMessage, toObject } from './decode.ts';
import type { Exchange } from './exchange.ts';
import { mutate } from './exchange.ts';
import { managerOf, owned } from './field-ownership.ts';
import { once } from './once.ts';
import { admitUpdate, checkName, updateTarget } from './update.ts';

/** In the order in which a refusal names them. No strategic merge, as with custom resources: clients fall back on 415 only. */
export const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
] as const;

const maxOperations = 10_000;

/** A patch, parsed once and applied to whatever is stored by then. */
export interface Patch {
  /** Duplicate and unknown fields of the patch itself. */
  readonly findings: readonly string[];
  /** @throws StatusError (422) */
  apply(document: JsonObject): JsonObject;
}

/** PATCH of an object or its status. Order of checks: k8s.io/apiserver/pkg/endpoints/handlers/patch.go. */
export async function handlePatch(exchange: Exchange): Promise<void> {
  const { context, endpoint } = exchange;
  const { info } = context;
  const type = patchTypeOf(exchange);
  if (type === 'application/apply-patch+yaml') return handleApply(exchange);
  const form = negotiateAnswer(exchange, 'object');
  const body = await readBody(exchange.request, context.signal);
  const options = parseWriteOptions('PatchOptions', context.query);
  const manager = managerOf(exchange, options.fieldManager);
  // A missing object is told before anything about the patch is.
  const patch = once(() => parsePatch(type, body.toString('utf8')));
  const stored = await endpoint.store.update({
    ...updateTarget(exchange),
    dryRun: options.dryRun,
    next: (old) => {
      const sent = inNamespace(patched(exchange, patch(), old, options.fieldValidation), info.namespace);
      checkName(sent, info.name);
      const object = owned(exchange, old, sent, manager);
      return mutate(exchange, { operation: 'UPDATE', name: info.name, object, old, dryRun: options.dryRun });
    },
    admit: (next, old) => admitUpdate(exchange, next, old, options.dryRun),
  });
  await sendObject(exchange, form, 200, stored);
}

export type PatchType = (typeof patchTypes)[number];
/** Patches that say what to change, unlike an apply, which says what should be. */
export type EditType = Exclude<PatchType, 'application/apply-patch+yaml'>;

/** @throws StatusError (415) */
export function patchTypeOf(exchange: Exchange): PatchType {
  // To the letter and without looking at parameters, as upstream does.
  const [media] = (exchange.request.headers['content-type'] ?? '').split(';', 1);
  const type = patchTypes.find((candidate) => candidate === media);
  if (type === undefined) throw newUnsupportedMediaType(patchTypes);
  return type;
}

function patched(exchange: Exchange, patch: Patch, old: KubeObject, validation: FieldValidation): KubeObject {
  const result = patch.apply(old as unknown as JsonObject);
  try {
    if (typeof result['kind'] !== 'string') throw new DecodeError(`Object 'Kind' is missing in '${goJson(result)}'`);
    const { object, findings } = toObject(exchange.endpoint.resource, result);
    refuseUnless(validation, [...patch.findings, ...findings], result, exchange.context.warnings);
    checkType(exchange.endpoint.resource, result, object.metadata.name ?? '');
    return object;
  } catch (error) {
    if (error instanceof DecodeError) throw newPatchInvalid(result, error.message);
    throw error;
  }
}

/** Findings become warnings or, when asked to be strict, a refusal. @throws StatusError (422) */
export function refuseUnless(
  validation: FieldValidation,
  findings: readonly string[],
  result: Json,
  warnings: Warnings,
): void {
  if (findings.length === 0 || validation === 'Ignore') return;
  if (validation === 'Strict') throw newPatchInvalid(result, strictMessage(findings));
  for (const finding of findings) warnings.add(finding);
}

export function newPatchInvalid(result: Json, why: string): Error {
  return newInvalid({ group: '', kind: '' }, '', [invalidValue('patch', goJson(result), why)]);
}

/** @throws StatusError (400 for what is no patch, 413 for too many operations) */
export function parsePatch(type: EditType, text: string): Patch {
  const { value, findings } = parseText(text);
  if (type === 'application/merge-patch+json') {
    if (!isJsonObject(value)) {
      if (value === null) throw newBadRequest('Invalid JSON Patch');
      throw newBadRequest(
        `error decoding patch: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type map[string]interface {}`,
      );
    }
    return { findings, apply: (document) => mergePatch(document, value) };
  }
  const parsed = parseOperations(value);
  if (parsed.operations.length > maxOperations) {
    throw newRequestTooLarge(
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${parsed.operations.length}`,
    );
  }
  return {
    findings: [...findings.map((finding) => `json patch ${finding}`), ...parsed.unknownFields],
    apply: (document) => {
      const result = applied(document, parsed.operations);
      if (!isJsonObject(result)) throw newUnprocessable();
      return result;
    },
  };
}

function parseText(text: string): { readonly value: Json; readonly findings: readonly string[] } {
  try {
    return decodeJson(text);
  } catch (error) {
    if (error instanceof DecodeError) throw newBadRequest(`error decoding patch: ${error.message}`);
    throw error;
  }
}

function parseOperations(value: Json): ReturnType<typeof parseJsonPatch> {
  try {
    return parseJsonPatch(value);
  } catch (error) {
    if (error instanceof MalformedPatchError) throw newBadRequest(`error decoding patch: ${error.message}`);
    throw error;
  }
}

function applied(document: JsonObject, operations: Parameters<typeof applyJsonPatch>[1]): Json {
  try {
    return applyJsonPatch(document, operations);
  } catch (error) {
    if (error instanceof PatchFailedError) throw newUnprocessable();
    throw error;
  }
}
