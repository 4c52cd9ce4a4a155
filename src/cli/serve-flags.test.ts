import { parseArgs } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readServeFlags, SERVE_OPTIONS, SERVE_USAGE } from './serve-flags.ts';
import { UsageError } from './usage-error.ts';

const read = (...args: readonly string[]) =>
  readServeFlags(parseArgs({ args: [...args], options: SERVE_OPTIONS, strict: true }).values);

describe('the flags of serve', () => {
  it('have defaults', () => {
    expect(read()).toEqual({
      bindAddress: '0.0.0.0',
      securePort: 8443,
      storage: 'sqlite:///var/lib/kamaji/kamaji.db',
      etcd: undefined,
      service: 'kamaji',
      namespace: 'kamaji-system',
      kubeconfig: undefined,
      defaultDataStore: undefined,
      controllers: true,
      leaderElect: true,
      acceptEmptyStorage: false,
      certificateRenewBeforeMs: undefined,
      logLevel: 'info',
      shutdownDelayMs: 3_000,
      auditLogPath: undefined,
      auditLogMaxBytes: 100 * 1024 * 1024,
      auditLogMaxBackups: 10,
    });
  });

  it('are what was given', () => {
    const flags = read(
      '--bind-address=::1',
      '--secure-port=6443',
      '--storage=sqlite:///tmp/x.db',
      '--service=k',
      '--namespace=n-1',
      '--kubeconfig=/k',
      '--default-datastore=main',
      '--controllers=false',
      '--leader-elect=false',
      '--accept-empty-storage=true',
      '--certificate-renew-before=720h',
      '--log-level=debug',
      '--shutdown-delay=1500ms',
      '--audit-log-path=/var/log/audit.log',
      '--audit-log-maxsize=1',
      '--audit-log-maxbackup=0',
    );
    expect(flags).toEqual({
      bindAddress: '::1',
      securePort: 6443,
      storage: 'sqlite:///tmp/x.db',
      etcd: undefined,
      service: 'k',
      namespace: 'n-1',
      kubeconfig: '/k',
      defaultDataStore: 'main',
      controllers: false,
      leaderElect: false,
      acceptEmptyStorage: true,
      certificateRenewBeforeMs: 720 * 3_600_000,
      logLevel: 'debug',
      shutdownDelayMs: 1_500,
      auditLogPath: '/var/log/audit.log',
      auditLogMaxBytes: 1024 * 1024,
      auditLogMaxBackups: 0,
    });
  });

  it('take an empty DataStore for none', () => {
    expect(read('--default-datastore=').defaultDataStore).toBeUndefined();
  });

  it.each([
    '--bind-address=localhost',
    '--bind-address=',
    '--secure-port=0',
    '--secure-port=65536',
    '--secure-port=https',
    '--secure-port=',
    '--secure-port=84.5',
    '--secure-port=0x20fb',
    '--secure-port=1e3',
    '--service=Kamaji',
    '--service=',
    '--namespace=a.b',
    '--namespace=-a',
    `--namespace=${'a'.repeat(64)}`,
    '--controllers=yes',
    '--controllers=',
    '--leader-elect=1',
    '--accept-empty-storage=maybe',
    '--log-level=loud',
    '--log-level=toString',
    '--certificate-renew-before=30d',
    '--certificate-renew-before=',
    '--certificate-renew-before=-1h',
    '--shutdown-delay=3',
    '--shutdown-delay=1.5s',
    '--audit-log-maxsize=0',
    '--audit-log-maxsize=-1',
    '--audit-log-maxbackup=',
  ])('name the one that is wrong: %s', (arg) => {
    const flag = arg.slice(0, arg.indexOf('='));
    expect(() => read(arg)).toThrow(UsageError);
    expect(() => read(arg)).toThrow(`${flag} must be`);
  });

  it('are all in the usage', () => {
    for (const name of Object.keys(SERVE_OPTIONS)) expect(SERVE_USAGE).toContain(`--${name}=`);
  });
});
