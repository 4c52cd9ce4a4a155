import type { KubeObject } from '../../apimachinery/object.ts';
import { newBadRequest } from '../../apimachinery/status.ts';
import { readBody } from '../body.ts';
import { negotiateInput } from '../negotiation.ts';
import { parseWriteOptions } from '../options.ts';
import { negotiateAnswer, sendObject } from './answer.ts';
import { inNamespace, warnAbout } from './create.ts';
import { decodeBody } from './decode.ts';
import type { Exchange } from './exchange.ts';
import { admissionRequest, mutate } from './exchange.ts';
import { managerOf, owned } from './field-ownership.ts';
import { withoutRepeatedOwners } from './owner-references.ts';

/** PUT of an object or its status. Order of checks: k8s.io/apiserver/pkg/endpoints/handlers/update.go. */
export async function handleUpdate(exchange: Exchange): Promise<void> {
  const { request, context, endpoint } = exchange;
  const { info } = context;
  const form = negotiateAnswer(exchange, 'object');
  const body = await readBody(request, context.signal);
  const options = parseWriteOptions('UpdateOptions', context.query);
  const encoding = negotiateInput(request.headers['content-type']);
  const decoded = decodeBody(endpoint.resource, body, encoding, options.fieldValidation, context.warnings);
  const named = inNamespace(decoded, info.namespace);
  checkName(named, info.name);
  const sent = withoutRepeatedOwners(named, context.warnings, 'in the request');
  const manager = managerOf(exchange, options.fieldManager);
  const { uid } = sent.metadata;
  const stored = await endpoint.store.update({
    ...updateTarget(exchange),
    dryRun: options.dryRun,
    ...(uid === undefined ? {} : { uid }),
    next: (old) => {
      const object = owned(exchange, old, sent, manager);
      return mutate(exchange, { operation: 'UPDATE', name: info.name, object, old, dryRun: options.dryRun });
    },
    admit: (next, old) => admitUpdate(exchange, next, old, options.dryRun),
  });
  await sendObject(exchange, form, 200, stored);
}

export function updateTarget(exchange: Exchange): {
  readonly namespace: string;
  readonly name: string;
  readonly scope: 'main' | 'status';
  readonly signal: AbortSignal;
} {
  const { info, signal } = exchange.context;
  const { namespace, name, subresource } = info;
  return { namespace, name, scope: subresource === 'status' ? 'status' : 'main', signal };
}

/** Validating admission, then the warnings that go with what was let through. */
export async function admitUpdate(
  exchange: Exchange,
  object: KubeObject,
  old: KubeObject,
  dryRun: boolean,
): Promise<void> {
  const { name } = exchange.context.info;
  warnAbout(exchange, object, old);
  await exchange.endpoint.admission.validate(
    admissionRequest(exchange, { operation: 'UPDATE', name, object, old, dryRun }),
  );
}

/** @throws StatusError (400) when the object is not the one of the URL */
export function checkName(object: KubeObject, name: string): void {
  const own = object.metadata.name ?? '';
  if (own === '')
    throw newBadRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (own !== name) throw newBadRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
}
