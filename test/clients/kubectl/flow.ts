/**
 * What a user types, as data. A flow runs against our API and against its twin, a CRD of the same schema, in namespaces of their
 * own; what kubectl says has to be the same.
 */

/** Where a flow runs: how the resource is called there. */
export interface Side {
  readonly group: string;
  /** As kubectl takes it: `tenantcontrolplanes.kamaji.io`. */
  readonly resource: string;
  /** `tcp.kamaji.io`. */
  readonly short: string;
  readonly dataStores: string;
  readonly namespace: string;
  /** Folder for files, empty at first. */
  readonly folder: string;
  /** A whole tenant as JSON: no server has a default left to fill in. */
  tenant(name: string, changes?: TenantChanges): string;
  /** A DataStore as JSON. */
  dataStore(name: string, metadata?: object): string;
}

export interface TenantChanges {
  readonly metadata?: object;
  /** Replaces parts of the spec; undefined takes them away. */
  readonly spec?: object | undefined;
  /** Replaces parts of spec.controlPlane.deployment. */
  readonly deployment?: object;
  readonly status?: object;
}

export interface Command {
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 0. */
  readonly code?: number;
  /** What the answer must say besides being equal; guards against two sides that are wrong together. */
  readonly says?: RegExp;
  /** Lines in any order: kubectl asks or prints concurrently. */
  readonly unordered?: true;
}

/** A command that goes on while others run. */
export interface Background {
  readonly background: readonly string[];
  /** The command watches when its stdout shows this; without it, after a second. */
  readonly ready?: RegExp;
  readonly during: readonly Command[];
  /** Watches never end: stop when stdout shows this. Without it the command has to end by itself. */
  readonly until?: RegExp;
}

export type Step = Command | Background;

export interface Flow {
  readonly name: string;
  steps(side: Side): readonly Step[];
}

/** `kubectl ARGS`; a template of words, of which none holds a space. */
export function command(line: string, options: Omit<Command, 'args'> = {}): Command {
  return { args: line.split(' '), ...options };
}

export function applied(manifest: string, line = 'apply -f -'): Command {
  return command(line, { stdin: manifest });
}

/** A kubectl List of JSON manifests. */
export function listOf(...manifests: readonly string[]): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: manifests.map((text) => JSON.parse(text) as unknown),
  });
}
