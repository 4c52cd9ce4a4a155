import { isIP } from 'node:net';
import { isLogLevel, type LogLevel } from '../base/log.ts';
import type { EtcdConfig } from '../apiserver/storage/etcd/driver.ts';
import { readDuration } from './duration.ts';
import { readEtcdFlags } from './etcd-flags.ts';
import { UsageError } from './usage-error.ts';

export interface ServeFlags {
  readonly bindAddress: string;
  readonly securePort: number;
  /** URL of the store, such as sqlite:///var/lib/kamaji/kamaji.db; `etcd:` when `etcd` is there. */
  readonly storage: string;
  readonly etcd: EtcdConfig | undefined;
  /** Our Service and its namespace: the name under which kube-apiserver calls us. */
  readonly service: string;
  readonly namespace: string;
  /** Of the admin cluster; undefined: the pod's own service account. */
  readonly kubeconfig: string | undefined;
  readonly defaultDataStore: string | undefined;
  readonly controllers: boolean;
  /** Whether only the holder of a Lease runs the controllers. */
  readonly leaderElect: boolean;
  /** Start on an empty store although the admin cluster holds tenants. */
  readonly acceptEmptyStorage: boolean;
  readonly certificateRenewBeforeMs: number | undefined;
  readonly logLevel: LogLevel;
  readonly shutdownDelayMs: number;
  /** Where audit events go: a file, `-` for standard output, undefined for nowhere. */
  readonly auditLogPath: string | undefined;
  readonly auditLogMaxBytes: number;
  readonly auditLogMaxBackups: number;
}

interface Flag {
  readonly fallback: string | undefined;
  readonly help: string;
}

const FLAGS = {
  'bind-address': { fallback: '0.0.0.0', help: 'address to listen on' },
  'secure-port': { fallback: '8443', help: 'port to listen on' },
  storage: {
    fallback: 'sqlite:///var/lib/kamaji/kamaji.db',
    help: 'where our objects are kept, for one replica; --etcd-servers take its place',
  },
  'etcd-servers': {
    fallback: undefined,
    help: 'servers of an etcd v3, or of kine, that any number of replicas share, with commas between: https://etcd-0:2379',
  },
  'etcd-prefix': { fallback: '/kamaji-registry', help: 'beginning of all our keys in etcd' },
  'etcd-cafile': { fallback: undefined, help: "PEM of the authorities of etcd's certificate; Node's when left out" },
  'etcd-certfile': { fallback: undefined, help: 'PEM of our client certificate for etcd' },
  'etcd-keyfile': { fallback: undefined, help: 'PEM of its key' },
  'etcd-username': { fallback: undefined, help: 'our user in etcd, where the client certificate does not name it' },
  'etcd-password-file': { fallback: undefined, help: 'file with the password of that user' },
  'etcd-compaction-interval': {
    fallback: '5m',
    help: 'how long history in etcd reaches back at least; 0s leaves its compaction to others',
  },
  service: { fallback: 'kamaji', help: 'name of our Service in the admin cluster' },
  namespace: { fallback: 'kamaji-system', help: 'our namespace in the admin cluster' },
  kubeconfig: { fallback: undefined, help: "kubeconfig of the admin cluster; the pod's service account when left out" },
  'default-datastore': { fallback: undefined, help: 'DataStore of tenants that name none' },
  controllers: { fallback: 'true', help: 'false serves the API alone' },
  'leader-elect': {
    fallback: 'true',
    help: 'only the replica that holds the Lease runs the controllers; false where there can be but one',
  },
  'accept-empty-storage': {
    fallback: 'false',
    help: 'true starts on an empty store although the admin cluster holds tenants, whose objects are then garbage',
  },
  'certificate-renew-before': {
    fallback: undefined,
    help: 'renew certificates of tenants when less than this is left, such as 720h; a third of their lifetime when left out',
  },
  'log-level': { fallback: 'info', help: 'debug, info, warn or error' },
  'shutdown-delay': {
    fallback: '3s',
    help: 'how long to go on serving after SIGTERM, until nobody is sent here any more',
  },
  'audit-log-path': {
    fallback: undefined,
    help: 'file for an audit event of every request, - for standard output; no audit when left out',
  },
  'audit-log-maxsize': { fallback: '100', help: 'megabytes of the audit log file before it is put aside' },
  'audit-log-maxbackup': { fallback: '10', help: 'audit log files put aside that are kept; 0 keeps all' },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof FLAGS;

/** For node:util's parseArgs. */
export const SERVE_OPTIONS = Object.fromEntries(Object.keys(FLAGS).map((name) => [name, { type: 'string' as const }]));

export const SERVE_USAGE = `flags of serve:
${Object.entries<Flag>(FLAGS)
  .map(([name, { fallback, help }]) => `  --${name}=${fallback ?? ''}\n        ${help}`)
  .join('\n')}
`;

/** @throws UsageError naming the flag */
export function readServeFlags(values: Readonly<Record<string, string | undefined>>): ServeFlags {
  const text = (name: FlagName): string | undefined => values[name] ?? FLAGS[name].fallback;
  const bindAddress = text('bind-address') ?? '';
  if (isIP(bindAddress) === 0) throw new UsageError(`--bind-address must be an IP address, not ${bindAddress}`);
  const securePort = Number(text('secure-port'));
  if (!/^\d{1,5}$/.test(text('secure-port') ?? '') || securePort < 1 || securePort > 65_535) {
    throw new UsageError(`--secure-port must be between 1 and 65535, not ${text('secure-port') ?? ''}`);
  }
  const flag = (name: 'controllers' | 'leader-elect' | 'accept-empty-storage'): boolean => {
    const value = text(name);
    if (value !== 'true' && value !== 'false') throw new UsageError(`--${name} must be true or false`);
    return value === 'true';
  };
  const logLevel = text('log-level') ?? '';
  if (!isLogLevel(logLevel)) throw new UsageError(`--log-level must be debug, info, warn or error, not ${logLevel}`);
  const count = (name: 'audit-log-maxsize' | 'audit-log-maxbackup', least: number): number => {
    const value = text(name) ?? '';
    if (!/^\d{1,6}$/.test(value) || Number(value) < least)
      throw new UsageError(`--${name} must be a number from ${least} to 999999, not ${value}`);
    return Number(value);
  };
  const etcd = readEtcdFlags(text);
  if (etcd !== undefined && values['storage'] !== undefined) {
    throw new UsageError('--storage and --etcd-servers exclude each other');
  }
  const auditLogPath = text('audit-log-path');
  const renewBefore = text('certificate-renew-before');
  const name = (flag: 'service' | 'namespace'): string => {
    const value = text(flag) ?? '';
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value))
      throw new UsageError(`--${flag} must be a DNS label, not '${value}'`);
    return value;
  };
  return {
    bindAddress,
    securePort,
    storage: etcd === undefined ? (text('storage') ?? '') : 'etcd:',
    etcd,
    service: name('service'),
    namespace: name('namespace'),
    kubeconfig: text('kubeconfig'),
    defaultDataStore: text('default-datastore') === '' ? undefined : text('default-datastore'),
    controllers: flag('controllers'),
    leaderElect: flag('leader-elect'),
    acceptEmptyStorage: flag('accept-empty-storage'),
    certificateRenewBeforeMs:
      renewBefore === undefined ? undefined : readDuration('certificate-renew-before', renewBefore),
    logLevel,
    shutdownDelayMs: readDuration('shutdown-delay', text('shutdown-delay') ?? '0s'),
    auditLogPath: auditLogPath === '' ? undefined : auditLogPath,
    auditLogMaxBytes: count('audit-log-maxsize', 1) * 1024 * 1024,
    auditLogMaxBackups: count('audit-log-maxbackup', 0),
  };
}
