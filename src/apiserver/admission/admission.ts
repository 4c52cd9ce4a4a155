import type { KubeObject } from '../../apimachinery/object.ts';
import type { ResourceDefinition, UserInfo } from '../registry/definition.ts';

/** Where a request goes, known before what it brings has been looked at. */
export interface AdmissionPlace {
  /** Stands for the request: the same in all that admission is told of it. */
  readonly request: object;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly definition: ResourceDefinition;
  readonly subresource: string;
  readonly namespace: string;
}

/** What admission sees of a request; the twin of k8s.io/apiserver/pkg/admission.Attributes. */
export interface AdmissionRequest extends AdmissionPlace {
  readonly name: string;
  /** The new object; undefined for DELETE. */
  readonly object: KubeObject | undefined;
  /** The stored object; undefined for CREATE. */
  readonly old: KubeObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly reader: ObjectReader;
  /** Adds a `Warning` header to the answer. */
  warn(message: string): void;
}

/** Reads other objects of our own API, at least as new as the last acknowledged write. */
export interface ObjectReader {
  get<T extends KubeObject>(plural: string, namespace: string, name: string): Promise<T | undefined>;
  list<T extends KubeObject>(plural: string): Promise<readonly T[]>;
}

/** Plugins run in the order of one list; all mutations come before all validations. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Starts what takes time, while the object is still being looked at; neither waits nor refuses. May be left out by the caller. */
  begin?(place: AdmissionPlace): void;
  /** Returns the object to go on with. @throws StatusError to refuse. */
  mutate?(request: AdmissionRequest): Promise<KubeObject>;
  /** @throws StatusError to refuse. */
  validate?(request: AdmissionRequest): Promise<void>;
}
