import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { KubeObject } from '../../apimachinery/object.ts';
import { newInternalError } from '../../apimachinery/status.ts';
import type { AdmissionPlace, AdmissionRequest, ObjectReader } from '../admission/admission.ts';
import type { AdmissionChain } from '../admission/chain.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { Lister } from '../registry/lister.ts';
import type { Resource } from '../registry/resource.ts';
import type { ResourceStore } from '../registry/store.ts';
import type { Watcher } from '../registry/watcher.ts';
import type { RequestContext } from '../request-context.ts';
import { contextOf } from '../request-context.ts';
import { withReadableOwners } from './field-ownership.ts';
import { withoutRepeatedOwners } from './owner-references.ts';

/** What serves one resource. */
export interface Endpoint {
  readonly resource: Resource;
  readonly store: ResourceStore;
  readonly lister: Lister;
  readonly watcher: Watcher;
  readonly admission: AdmissionChain;
  readonly reader: ObjectReader;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  /** Numbers in [0, 1), to spread timeouts. */
  readonly random: () => number;
  /** Called for every event that a watch sends. */
  readonly countWatchEvent: () => void;
}

/** One request to an endpoint. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: RequestContext;
  readonly endpoint: Endpoint;
}

/** Answers one verb; what it throws becomes the answer. */
export type Handler = (exchange: Exchange) => Promise<void>;

export function newExchange(request: IncomingMessage, response: ServerResponse, endpoint: Endpoint): Exchange {
  return { request, response, context: contextOf(request), endpoint };
}

type AdmissionFacts = Pick<AdmissionRequest, 'operation' | 'name' | 'object' | 'old' | 'dryRun'>;

export function admissionPlace(exchange: Exchange, operation: AdmissionPlace['operation']): AdmissionPlace {
  const { context, endpoint } = exchange;
  return {
    request: context,
    operation,
    definition: endpoint.resource.definition,
    subresource: context.info.subresource,
    namespace: context.info.namespace,
  };
}

export function admissionRequest(exchange: Exchange, facts: AdmissionFacts): AdmissionRequest {
  const { context, endpoint } = exchange;
  return {
    ...facts,
    ...admissionPlace(exchange, facts.operation),
    user: context.user,
    reader: endpoint.reader,
    warn: (message) => context.warnings.add(message),
  };
}

/** Mutating admission, and schema defaults once more over what it changed. @throws StatusError */
export async function mutate(
  exchange: Exchange,
  facts: AdmissionFacts & { readonly object: KubeObject },
): Promise<KubeObject> {
  const { admission, resource } = exchange.endpoint;
  const mutated = await admission.mutate(admissionRequest(exchange, facts));
  if (mutated === undefined) throw newInternalError('admission lost the object');
  const tracked = withReadableOwners(exchange, mutated, facts.object);
  const object = withoutRepeatedOwners(tracked, exchange.context.warnings, 'after admission');
  return object === facts.object || exchange.context.info.subresource === 'scale' ? object : resource.default(object);
}
