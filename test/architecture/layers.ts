/** The rooms of src and what each may import: the one place where that is written down. `layers.test.ts` reads it. */

export interface Room {
  /** Folder, or file, of src. Of two rooms that hold a file the longer path counts. */
  readonly path: string;
  /** Rooms that it may import beside itself. */
  readonly mayImport: readonly string[];
  /** npm packages that it may import; Node's own modules are `node:`. Undefined: any. */
  readonly packages?: readonly string[];
  readonly holds: string;
}

const BASE = ['base'];
const MACHINERY = [...BASE, 'apimachinery'];
const CLIENTS = [...MACHINERY, 'kubeclient', 'pki', 'etcdclient'];
const ENGINES = [...CLIENTS, 'apiserver', 'reconcile'];
const TENANCY = ['tenancy/api', 'tenancy/resources', 'tenancy/provisioning', 'tenancy/controllers', 'tenancy/webhooks'];

export const rooms: readonly Room[] = [
  // prom-client: the registry that base/metrics.ts wraps.
  {
    path: 'base',
    mayImport: [],
    packages: ['node:', 'prom-client'],
    holds: 'clock, log, metrics, lifecycle, backoff, deadlines; no Kubernetes',
  },
  {
    path: 'apimachinery',
    mayImport: BASE,
    packages: ['yaml'],
    holds: 'the object model as pure functions: no I/O, clock or randomness',
  },
  { path: 'pki', mayImport: BASE, packages: ['node:'], holds: 'keys and certificates; knows no cluster' },
  {
    path: 'kubeclient',
    mayImport: MACHINERY,
    packages: ['node:', 'yaml'],
    holds: 'kubeconfig, REST verbs, reflector, informer',
  },
  {
    path: 'etcdclient',
    mayImport: BASE,
    packages: ['node:', '@grpc/grpc-js', '@grpc/proto-loader'],
    holds: 'gRPC to etcd, for our own store and for those of tenants; knows neither',
  },
  { path: 'apiserver', mayImport: CLIENTS, holds: 'the generic API server, which knows no kinds' },
  {
    path: 'reconcile',
    mayImport: CLIENTS,
    packages: ['node:'],
    holds: 'work queue, controller runtime, component applier',
  },
  {
    path: 'tenancy/api',
    mayImport: [...MACHINERY, 'kubeclient'],
    holds: 'our kinds: schema, defaults, address on the wire; no behaviour',
  },
  {
    path: 'tenancy/provisioning',
    mayImport: [...CLIENTS, 'reconcile', 'tenancy/api'],
    holds: 'what a tenant is made of',
  },
  {
    path: 'tenancy/resources',
    mayImport: [...ENGINES, 'tenancy/api', 'tenancy/provisioning'],
    holds: 'our resources on the engine',
  },
  {
    path: 'tenancy/controllers',
    mayImport: [...CLIENTS, 'reconcile', 'tenancy/api', 'tenancy/provisioning'],
    holds: 'controllers, which reach data through a client only',
  },
  {
    path: 'tenancy/webhooks',
    mayImport: [...ENGINES, 'tenancy/api', 'tenancy/provisioning'],
    holds: 'what the admin cluster asks us to admit',
  },
  { path: 'cli', mayImport: [...ENGINES, ...TENANCY], holds: 'a file a command; joins the rooms' },
  { path: 'main.ts', mayImport: ['cli', ...ENGINES, ...TENANCY], holds: 'the entry' },
];

/** Imports against the table, each with its reason. */
export const exceptions: readonly { readonly from: string; readonly to: string; readonly reason: string }[] = [];

export const forbiddenNames: readonly string[] = [
  'utils',
  'util',
  'common',
  'helpers',
  'helper',
  'misc',
  'shared',
  'lib',
];

/** Lines; a file that needs more needs to be two files. */
export const maxLines = 600;

/** Tables that must name everything beside them: adding a thing is a folder and one line. */
export interface Table {
  /** File of src. */
  readonly file: string;
  /** Folder of src whose entries the table names. */
  readonly folder: string;
  /** `folders`: every folder; `plugins`: every file; `components`: every file that exports a Component. */
  readonly names: 'folders' | 'plugins' | 'components';
  /** Entries that are no such thing. */
  readonly except?: readonly string[];
}

export const tables: readonly Table[] = [
  { file: 'tenancy/resources/all.ts', folder: 'tenancy/resources', names: 'folders' },
  // cache: stands in front of any driver.
  { file: 'apiserver/storage/drivers.ts', folder: 'apiserver/storage', names: 'folders', except: ['cache'] },
  { file: 'tenancy/provisioning/datastore/drivers.ts', folder: 'tenancy/provisioning/datastore', names: 'folders' },
  { file: 'tenancy/provisioning/addons/all.ts', folder: 'tenancy/provisioning/addons', names: 'components' },
  {
    file: 'tenancy/provisioning/admin-cluster/all.ts',
    folder: 'tenancy/provisioning/admin-cluster',
    names: 'components',
  },
  {
    file: 'tenancy/provisioning/tenant-cluster/all.ts',
    folder: 'tenancy/provisioning/tenant-cluster',
    names: 'components',
  },
  { file: 'tenancy/controllers/all.ts', folder: 'tenancy/controllers', names: 'folders' },
];
