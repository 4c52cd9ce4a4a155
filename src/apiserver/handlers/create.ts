import { setImmediate } from 'node:timers/promises';
import { newBadRequest } from '../../apimachinery/status.ts';
import { finalizerWarnings } from '../../apimachinery/meta-validation.ts';
import type { KubeObject } from '../../apimachinery/object.ts';
import { auditOf } from '../audit/record.ts';
import { readBody } from '../body.ts';
import { negotiateInput } from '../negotiation.ts';
import { parseWriteOptions } from '../options.ts';
import { withMetadata } from '../registry/codec.ts';
import { negotiateAnswer, sendObject } from './answer.ts';
import { decodeBody } from './decode.ts';
import type { Exchange } from './exchange.ts';
import { admissionPlace, admissionRequest, mutate } from './exchange.ts';
import { managerOf, owned } from './field-ownership.ts';
import { withoutRepeatedOwners } from './owner-references.ts';

/** POST to a collection. Order of checks: k8s.io/apiserver/pkg/endpoints/handlers/create.go. */
export async function handleCreate(exchange: Exchange): Promise<void> {
  const { request, context, endpoint } = exchange;
  const form = negotiateAnswer(exchange, 'object');
  const encoding = negotiateInput(request.headers['content-type']);
  const body = await readBody(request, context.signal);
  const options = parseWriteOptions('CreateOptions', context.query);
  endpoint.admission.begin(admissionPlace(exchange, 'CREATE'));
  // What has begun leaves now, and is under way while we decode.
  await setImmediate();
  const decoded = decodeBody(endpoint.resource, body, encoding, options.fieldValidation, context.warnings);
  // Only a revision counts; all else is dropped, as the storage does (APIObjectVersioner).
  if (/^\d+$/.test(decoded.metadata.resourceVersion ?? '') && Number(decoded.metadata.resourceVersion) !== 0)
    throw newBadRequest('resourceVersion should not be set on objects to be created');
  const sent = withoutRepeatedOwners(
    inNamespace(withoutSystemFields(decoded), context.info.namespace),
    context.warnings,
    'in the request',
  );
  const object = owned(exchange, undefined, sent, managerOf(exchange, options.fieldManager));
  const record = auditOf(context);
  if (record !== undefined) record.objectName = object.metadata.name ?? '';
  const facts = {
    operation: 'CREATE',
    name: object.metadata.name ?? '',
    old: undefined,
    dryRun: options.dryRun,
  } as const;
  const admitted = await mutate(exchange, { ...facts, object });
  const stored = await endpoint.store.create(admitted, {
    dryRun: options.dryRun,
    admit: (born) =>
      endpoint.admission.validate(
        admissionRequest(exchange, { ...facts, name: born.metadata.name ?? '', object: born }),
      ),
  });
  warnAbout(exchange, stored.object, undefined);
  await sendObject(exchange, form, 201, stored);
}

function withoutSystemFields(object: KubeObject): KubeObject {
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, ...metadata } = object.metadata;
  const none = uid ?? creationTimestamp ?? deletionTimestamp ?? deletionGracePeriodSeconds;
  return none === undefined ? object : withMetadata(object, metadata);
}

/** The object in the namespace of its URL. @throws StatusError (400) when it names another one */
export function inNamespace(object: KubeObject, namespace: string): KubeObject {
  const { namespace: own, ...metadata } = object.metadata;
  if ((own ?? '') === namespace) return object;
  if (own !== undefined && namespace !== '') {
    throw newBadRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return withMetadata(object, namespace === '' ? metadata : { ...metadata, namespace });
}

/** Warnings of the kind and those about new finalizers. */
export function warnAbout(exchange: Exchange, object: KubeObject, old: KubeObject | undefined): void {
  const { definition } = exchange.endpoint.resource;
  for (const warning of finalizerWarnings(object.metadata, old?.metadata)) exchange.context.warnings.add(warning);
  for (const warning of definition.strategy.warnings?.(object, old) ?? []) exchange.context.warnings.add(warning);
}
