import { DecodeError } from '../../apimachinery/json-text.ts';
import { isJsonObject } from '../../apimachinery/json.ts';
import type { Json, KubeObject } from '../../apimachinery/object.ts';
import { applyDefaults } from '../../apimachinery/schema/defaulting.ts';
import { prune } from '../../apimachinery/schema/pruning.ts';
import { validate } from '../../apimachinery/schema/validation.ts';
import { newBadRequest, newInvalid } from '../../apimachinery/status.ts';
import { newTable, toColumn } from '../../apimachinery/table.ts';
import { ensureAuthorized } from './authorize.ts';
import { readBody } from '../body.ts';
import { negotiateInput } from '../negotiation.ts';
import type { FieldValidation } from '../options.ts';
import { parseWriteOptions } from '../options.ts';
import type { ConnectSubresource } from '../registry/definition.ts';
import { sendBody } from '../response.ts';
import type { AnswerForm } from './answer.ts';
import { negotiateAnswer } from './answer.ts';
import { decodeText, reportFindings, unknownFieldFindings } from './decode.ts';
import type { Exchange } from './exchange.ts';
import { admissionRequest } from './exchange.ts';

/** A subresource that answers with an object of its own, by GET with all defaults or by POST with a body. */
export async function handleConnect(
  exchange: Exchange,
  subresource: ConnectSubresource,
  verb: 'get' | 'create',
): Promise<void> {
  const { context, endpoint } = exchange;
  const { namespace, name } = context.info;
  const form = negotiateAnswer(exchange, 'object');
  const options = verb === 'create' ? parseWriteOptions('CreateOptions', context.query) : undefined;
  const body =
    options === undefined
      ? defaultBody(subresource)
      : await readRequest(exchange, subresource, options.fieldValidation);
  if (subresource.alsoRequiresVerb !== undefined && subresource.alsoRequiresVerb !== verb) {
    await ensureAuthorized(endpoint.authorizer, context, { verb: subresource.alsoRequiresVerb });
  }
  const parent = await endpoint.store.get(namespace, name);
  const dryRun = options?.dryRun ?? false;
  const admitted = await admit(exchange, verb, body, dryRun);
  const answer = await subresource.connect(parent.object, {
    verb,
    user: context.user,
    body: admitted,
    dryRun,
    signal: context.signal,
  });
  await sendAnswer(exchange, form, subresource, verb === 'create' ? 201 : 200, answer, parent.object);
}

async function admit(
  exchange: Exchange,
  verb: 'get' | 'create',
  body: object | undefined,
  dryRun: boolean,
): Promise<object | undefined> {
  // As in kube-apiserver a read is not admitted; whoever may read and holds the second verb gets the answer.
  if (verb === 'get') return body;
  const { admission } = exchange.endpoint;
  const facts = {
    operation: 'CREATE',
    name: exchange.context.info.name,
    object: body as KubeObject | undefined,
    old: undefined,
    dryRun,
  } as const;
  const object = await admission.mutate(admissionRequest(exchange, facts));
  await admission.validate(admissionRequest(exchange, { ...facts, object }));
  return object;
}

function defaultBody(subresource: ConnectSubresource): object | undefined {
  return subresource.requestSchema === undefined ? undefined : applyDefaults(subresource.requestSchema, {});
}

/** An empty body stands for all defaults, so that `kubectl create --raw ... -f /dev/null` works. @throws StatusError (400, 415, 422) */
async function readRequest(
  exchange: Exchange,
  subresource: ConnectSubresource,
  validation: FieldValidation,
): Promise<object | undefined> {
  const { request, context } = exchange;
  const encoding = negotiateInput(request.headers['content-type']);
  const text = (await readBody(request, context.signal)).toString('utf8');
  if (text.trim() === '') return defaultBody(subresource);
  try {
    const { value, findings } = decodeText(text, encoding);
    return checkRequest(exchange, subresource, value, findings, validation);
  } catch (error) {
    if (error instanceof DecodeError) throw newBadRequest(`the object provided is unrecognized: ${error.message}`);
    throw error;
  }
}

function checkRequest(
  exchange: Exchange,
  subresource: ConnectSubresource,
  value: Json,
  findings: readonly string[],
  validation: FieldValidation,
): object | undefined {
  if (!isJsonObject(value)) throw newBadRequest('the object provided is unrecognized: it is no object');
  const { requestSchema } = subresource;
  if (requestSchema === undefined) throw newBadRequest('this subresource takes no body');
  const { object, unknownFields } = prune(requestSchema, value);
  const unknown = unknownFieldFindings(unknownFields);
  reportFindings([...findings, ...unknown], validation, exchange.context.warnings);
  const defaulted = applyDefaults(requestSchema, object);
  const errors = validate(requestSchema, defaulted);
  const { group, kind } = subresource.responseKind;
  if (errors.length > 0) throw newInvalid({ group, kind }, exchange.context.info.name, errors);
  return defaulted;
}

async function sendAnswer(
  exchange: Exchange,
  form: AnswerForm,
  subresource: ConnectSubresource,
  code: number,
  answer: object,
  parent: KubeObject,
): Promise<void> {
  const { request, response } = exchange;
  const options = { sensitive: subresource.sensitive };
  const { convert } = form;
  if (convert === undefined) return sendBody(request, response, code, form, { value: answer }, options);
  // A converted answer shows the parent's identity and no more: cells are made to hold no secret, the answer itself is one.
  const { name, namespace } = parent.metadata;
  const partial = {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${convert.version}`,
    metadata: { name, namespace },
  };
  if (convert.kind !== 'Table') return sendBody(request, response, code, form, { value: partial }, options);
  const row = { cells: subresource.row(answer, parent), object: form.includeObject === 'None' ? null : partial };
  const columns = subresource.columns.map(toColumn);
  return sendBody(request, response, code, form, { value: newTable(convert.version, {}, columns, [row]) }, options);
}
