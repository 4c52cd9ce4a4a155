import type { KubeObject } from '../object.ts';
import type { Managed } from './managed.ts';

/** One write, as it goes down the chain. */
export interface Write {
  readonly live: KubeObject;
  /** The object that will be stored, or what is applied. Without managedFields in updates. */
  readonly next: KubeObject;
  readonly managed: Managed;
  readonly manager: string;
  /** RFC 3339 with seconds. */
  readonly now: string;
}

export interface ApplyWrite extends Write {
  readonly force: boolean;
}

/**
 * A link of the chain that keeps ownership: each does one thing and hands on.
 * k8s.io/apimachinery/pkg/util/managedfields/internal, manager.go.
 */
export interface Manager {
  update(write: Write): Managed;
  /** @throws ConflictsError, StatusError and errors that have no status */
  apply(write: ApplyWrite): Applied;
}

export interface Applied {
  /** Undefined: nothing changed. */
  readonly object: KubeObject | undefined;
  readonly managed: Managed;
}

/** What goes wrong without a status of its own: 500 on the wire, with this message. */
export class OwnershipError extends Error {
  override readonly name: string = 'OwnershipError';
}

/**
 * The applied object does not fit its schema. That is the mistake of the client: 400, where upstream answers 500 for want of a
 * status.
 */
export class AppliedTypeError extends OwnershipError {
  override readonly name = 'AppliedTypeError';
}
