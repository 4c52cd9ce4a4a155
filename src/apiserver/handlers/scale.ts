import { getOwn, isJsonObject, valueAt, withValueAt } from '../../apimachinery/json.ts';
import { toParentFields, toScaleFields } from '../../apimachinery/managedfields/scale-ownership.ts';
import { DecodeError } from '../../apimachinery/json-text.ts';
import { decodeObjectMeta } from '../../apimachinery/object-meta.ts';
import type { Json, JsonObject, KubeObject } from '../../apimachinery/object.ts';
import { prune } from '../../apimachinery/schema/pruning.ts';
import { newBadRequest, newInternalError } from '../../apimachinery/status.ts';
import { ageColumn, newPartialObject, newTable, newTableConverter } from '../../apimachinery/table.ts';
import { goQuote } from '../../apimachinery/go-format.ts';
import { readBody } from '../body.ts';
import { negotiateInput } from '../negotiation.ts';
import { parseApplyOptions, parseWriteOptions } from '../options.ts';
import type { FieldValidation } from '../options.ts';
import { withMetadata } from '../registry/codec.ts';
import { scaleSchema } from '../registry/field-managers.ts';
import type { CompiledScale } from '../registry/resource.ts';
import { sendBody } from '../response.ts';
import { applyConfiguration, parseConfiguration } from './apply.ts';
import type { AnswerForm } from './answer.ts';
import { negotiateAnswer, rowObject } from './answer.ts';
import { decodeText, goKind, reportFindings, unknownFieldFindings } from './decode.ts';
import type { Exchange } from './exchange.ts';
import { admissionRequest, mutate } from './exchange.ts';
import { inNamespace } from './create.ts';
import { managerOf, owned } from './field-ownership.ts';
import { once } from './once.ts';
import { parsePatch, patchTypeOf, newPatchInvalid, refuseUnless } from './patch.ts';
import type { Patch } from './patch.ts';
import { checkName } from './update.ts';

/**
 * The scale subresource: an autoscaling/v1 Scale that is a view of a few fields of its parent.
 * k8s.io/apiextensions-apiserver/pkg/registry/customresource/etcd.go, ScaleREST.
 */

export interface Scale extends KubeObject {
  /** No replicas stand for none, as Go writes it. */
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly replicas: number; readonly selector?: string };
}

/** Stands for replicas that the parent does not have: the smallest of Go's int32. */
const noReplicas = -(2 ** 31);

const scaleTable = newTableConverter([
  { name: 'Desired', type: 'integer', description: 'Number of desired replicas', jsonPath: '.spec.replicas' },
  { name: 'Available', type: 'integer', description: 'Number of actual replicas', jsonPath: '.status.replicas' },
  ageColumn,
]);

export async function handleGetScale(exchange: Exchange): Promise<void> {
  const form = negotiateAnswer(exchange, 'object');
  const { namespace, name } = exchange.context.info;
  const { object } = await exchange.endpoint.store.get(namespace, name);
  if (valueAt(object, paths(exchange).specReplicas) === undefined) {
    throw newInternalError(`the spec replicas field ${goQuote(paths(exchange).paths.specReplicasPath)} does not exist`);
  }
  await sendScale(exchange, form, scaleOf(exchange, object));
}

export async function handleUpdateScale(exchange: Exchange): Promise<void> {
  const { request, context } = exchange;
  const form = negotiateAnswer(exchange, 'object');
  const body = await readBody(request, context.signal);
  const options = parseWriteOptions('UpdateOptions', context.query);
  const sent = decodeScale(exchange, body, negotiateInput(request.headers['content-type']), options.fieldValidation);
  checkName(sent, context.info.name);
  const manager = managerOf(exchange, options.fieldManager);
  const { uid } = sent.metadata;
  await store(exchange, form, { dryRun: options.dryRun, ...(uid === undefined ? {} : { uid }) }, (old) =>
    owned(exchange, old, sent, manager),
  );
}

export async function handlePatchScale(exchange: Exchange): Promise<void> {
  const { request, context } = exchange;
  const type = patchTypeOf(exchange);
  if (type === 'application/apply-patch+yaml') return handleApplyScale(exchange);
  const form = negotiateAnswer(exchange, 'object');
  const body = await readBody(request, context.signal);
  const options = parseWriteOptions('PatchOptions', context.query);
  const manager = managerOf(exchange, options.fieldManager);
  const patch = once(() => parsePatch(type, body.toString('utf8')));
  await store(exchange, form, { dryRun: options.dryRun }, (old) =>
    owned(exchange, old, patched(exchange, patch(), old, options.fieldValidation), manager),
  );
}

function patched(exchange: Exchange, patch: Patch, old: Scale, validation: FieldValidation): Scale {
  const { context } = exchange;
  const result = patch.apply(old as unknown as JsonObject);
  try {
    const { scale, findings } = toScale(result);
    refuseUnless(validation, [...patch.findings, ...findings], result, context.warnings);
    checkName(scale, context.info.name);
    return scale;
  } catch (error) {
    if (error instanceof DecodeError) throw newPatchInvalid(result, error.message);
    throw error;
  }
}

async function handleApplyScale(exchange: Exchange): Promise<void> {
  const { request, context } = exchange;
  const form = negotiateAnswer(exchange, 'object');
  const body = await readBody(request, context.signal);
  const options = parseApplyOptions(context.query);
  const configuration = once(() => parseConfiguration(body.toString('utf8')));
  await store(exchange, form, { dryRun: options.dryRun }, (old) => {
    const result = applyConfiguration(exchange, configuration(), old, options);
    try {
      const { scale } = toScale(result as unknown as JsonObject);
      checkName(scale, context.info.name);
      return scale;
    } catch (error) {
      if (error instanceof DecodeError) throw newBadRequest(`the Scale cannot be read: ${error.message}`);
      throw error;
    }
  });
}

async function store(
  exchange: Exchange,
  form: AnswerForm,
  { dryRun, uid }: { readonly dryRun: boolean; readonly uid?: string },
  next: (old: Scale) => KubeObject,
): Promise<void> {
  const { context, endpoint } = exchange;
  const { namespace, name } = context.info;
  const stored = await endpoint.store.update({
    namespace,
    name,
    scope: 'main',
    dryRun,
    signal: context.signal,
    ...(uid === undefined ? {} : { uid }),
    next: async (parent) => {
      const old = ownedScaleOf(exchange, parent);
      const asked = inNamespace(next(old), namespace);
      const scale = (await mutate(exchange, { operation: 'UPDATE', name, object: asked, old, dryRun })) as Scale;
      return withReplicas(exchange, parent, scale);
    },
    admit: async (object, parent) => {
      const facts = {
        operation: 'UPDATE',
        name,
        object: scaleOf(exchange, object),
        old: scaleOf(exchange, parent),
        dryRun,
      } as const;
      await endpoint.admission.validate(admissionRequest(exchange, facts));
    },
  });
  await sendScale(exchange, form, scaleOf(exchange, stored.object));
}

/** The scale before a write, with the part of the parent's field ownership that is about replicas. */
function ownedScaleOf(exchange: Exchange, parent: KubeObject): Scale {
  const scale = scaleOf(exchange, parent);
  const { specReplicas } = paths(exchange);
  const { replicasPaths } = exchange.endpoint.resource;
  const managedFields = toScaleFields(parent.metadata.managedFields ?? [], replicasPaths);
  const known = typeof valueAt(parent, specReplicas) === 'number';
  return {
    ...scale,
    metadata: { ...scale.metadata, ...(managedFields.length === 0 ? {} : { managedFields }) },
    spec: known ? scale.spec : { replicas: noReplicas },
  };
}

function withReplicas(exchange: Exchange, parent: KubeObject, scale: Scale): KubeObject {
  const { specReplicas, paths: names } = paths(exchange);
  const { apiVersion, replicasPaths } = exchange.endpoint.resource;
  const { replicas = 0 } = scale.spec;
  if (replicas === noReplicas)
    throw newBadRequest(`the spec replicas field ${goQuote(names.specReplicasPath)} cannot be empty`);
  const next = withValueAt(parent, specReplicas, replicas) as unknown as KubeObject;
  const { managedFields: before = [], ...metadata } = next.metadata;
  const managedFields = toParentFields(before, scale.metadata.managedFields ?? [], apiVersion, replicasPaths);
  // Without a revision of the client's own the update is unconditional.
  const { resourceVersion } = scale.metadata;
  return withMetadata(next, {
    ...metadata,
    ...(managedFields.length === 0 ? {} : { managedFields }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  });
}

function paths(exchange: Exchange): CompiledScale {
  const { scale } = exchange.endpoint.resource;
  if (scale === undefined) throw newInternalError('the resource has no scale');
  return scale;
}

function scaleOf(exchange: Exchange, parent: KubeObject): Scale {
  const scale = paths(exchange);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = parent.metadata;
  const replicas = valueAt(parent, scale.specReplicas);
  const selector = valueAt(parent, scale.selector);
  const metadata = { creationTimestamp, name, namespace, resourceVersion, uid };
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: {
      replicas: Number(valueAt(parent, scale.statusReplicas) ?? 0),
      ...(typeof selector === 'string' && selector !== '' ? { selector } : {}),
    },
  };
}

function decodeScale(exchange: Exchange, body: Buffer, encoding: 'json' | 'yaml', validation: FieldValidation): Scale {
  const { context } = exchange;
  try {
    const { value, findings } = decodeText(body.toString('utf8'), encoding);
    const decoded = toScale(value);
    reportFindings([...findings, ...decoded.findings], validation, context.warnings);
    return decoded.scale;
  } catch (error) {
    if (error instanceof DecodeError)
      throw newBadRequest(`Scale in version "v1" cannot be handled as a Scale: ${error.message}`);
    throw error;
  }
}

/** @throws DecodeError */
function toScale(value: Json): { readonly scale: Scale; readonly findings: readonly string[] } {
  const object = value as Partial<Record<string, Json>> | null;
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    throw new DecodeError('the body is no object');
  const { apiVersion = 'autoscaling/v1', kind = 'Scale' } = object;
  if (apiVersion !== 'autoscaling/v1') {
    throw new DecodeError(
      `the API version in the data (${JSON.stringify(apiVersion)}) does not match the expected API version (autoscaling/v1)`,
    );
  }
  if (kind !== 'Scale')
    throw new DecodeError(`no kind ${JSON.stringify(kind)} is registered for version "autoscaling/v1"`);
  const { metadata, unknownFields } = decodeObjectMeta(object['metadata']);
  const raw = { ...object, kind: 'Scale', apiVersion: 'autoscaling/v1', metadata: {} };
  const pruned = prune(scaleSchema, raw);
  const findings = unknownFieldFindings([...unknownFields, ...pruned.unknownFields]);
  const replicas = int32(object['spec'], 'spec', 'ScaleSpec');
  const spec = replicas === 0 ? {} : { replicas };
  const status = { replicas: int32(object['status'], 'status', 'ScaleStatus') };
  return { scale: { kind: 'Scale', apiVersion: 'autoscaling/v1', metadata, spec, status }, findings };
}

/** `replicas` as Go decodes it into a struct: absent is 0. @throws DecodeError */
function int32(parent: Json | undefined, field: string, struct: string): number {
  if (parent === undefined || parent === null) return 0;
  if (!isJsonObject(parent)) {
    throw new DecodeError(
      `json: cannot unmarshal ${goKind(parent)} into Go struct field Scale.${field} of type v1.${struct}`,
    );
  }
  const value = getOwn(parent, 'replicas') ?? 0;
  if (typeof value === 'number' && Number.isInteger(value) && value >= noReplicas && value < -noReplicas) return value;
  const shown = typeof value === 'number' ? `number ${value}` : goKind(value);
  throw new DecodeError(
    `json: cannot unmarshal ${shown} into Go struct field ${struct}.${field}.replicas of type int32`,
  );
}

async function sendScale(exchange: Exchange, form: AnswerForm, scale: Scale): Promise<void> {
  const { convert } = form;
  const { request, response, endpoint } = exchange;
  if (convert === undefined) return sendBody(request, response, 200, form, { value: scale });
  if (convert.kind !== 'Table') {
    return sendBody(request, response, 200, form, { value: newPartialObject(convert.version, scale.metadata) });
  }
  const row = {
    cells: scaleTable.cells(scale, endpoint.clock.now()),
    object: rowObject(convert, form.includeObject, scale),
  };
  const resourceVersion = scale.metadata.resourceVersion ?? '';
  return sendBody(request, response, 200, form, {
    value: newTable(convert.version, { resourceVersion }, scaleTable.columns, [row]),
  });
}
