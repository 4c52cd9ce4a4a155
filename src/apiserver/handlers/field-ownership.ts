import type { ManagedFieldsEntry, KubeObject } from '../../apimachinery/object.ts';
import { formatTimestamp } from '../../apimachinery/time.ts';
import { validateManagedFields } from '../../apimachinery/managedfields/field-manager.ts';
import type { FieldManager } from '../../apimachinery/managedfields/field-manager.ts';
import { withMetadata } from '../registry/codec.ts';
import type { Exchange } from './exchange.ts';

/** Who owns the fields that a request writes. */

/** k8s.io/apimachinery/pkg/apis/meta/v1/validation, FieldManagerMaxLength; bytes. */
const maxManagerLength = 128;
const printable = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** The manager that the client names or, without, the head of its User-Agent. endpoints/handlers/create.go, managerOrUserAgent. */
export function managerOf(exchange: Exchange, fieldManager: string): string {
  return fieldManager === '' ? managerOfUserAgent(exchange.request.headers['user-agent'] ?? '') : fieldManager;
}

/** endpoints/handlers/create.go, prefixFromUserAgent. Header values are bytes, which Node hands out as latin1. */
export function managerOfUserAgent(userAgent: string): string {
  const head = Buffer.from(userAgent.split('/', 1)[0] ?? '', 'latin1').toString('utf8');
  let manager = '';
  let length = 0;
  for (const char of head) {
    if (!printable.test(char)) continue;
    length += Buffer.byteLength(char);
    if (length > maxManagerLength) break;
    manager += char;
  }
  return manager;
}

/** The field manager of the endpoint that a request is for. */
export function fieldManagerOf(exchange: Exchange): FieldManager {
  return exchange.endpoint.resource.fieldManager(exchange.context.info.subresource);
}

/** `next` with the ownership of its fields after a create (without `live`), an update or a patch that is no apply. */
export function owned(exchange: Exchange, live: KubeObject | undefined, next: KubeObject, manager: string): KubeObject {
  return fieldManagerOf(exchange).update(live, next, manager, nowOf(exchange));
}

/** RFC 3339. */
export function nowOf(exchange: Exchange): string {
  return formatTimestamp(exchange.endpoint.clock.now());
}

/**
 * What admission did to the ownership of fields stands if it can be read, and is undone else.
 * endpoints/handlers/fieldmanager/admission.go.
 */
export function withReadableOwners(exchange: Exchange, object: KubeObject, before: KubeObject): KubeObject {
  const { managedFields: entries } = before.metadata;
  if (object.metadata.managedFields === entries) return object;
  const complaint = complaintAbout(object.metadata.managedFields);
  if (complaint === undefined) return object;
  exchange.context.warnings.add(
    `.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ${complaint}`,
  );
  const { managedFields: _dropped, ...metadata } = object.metadata;
  return withMetadata(object, entries === undefined ? metadata : { ...metadata, managedFields: entries });
}

function complaintAbout(entries: readonly ManagedFieldsEntry[] | undefined): string | undefined {
  try {
    validateManagedFields(entries ?? []);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
