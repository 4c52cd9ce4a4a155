import { parseArgs } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readServeFlags, SERVE_OPTIONS } from './serve-flags.ts';
import { UsageError } from './usage-error.ts';

const read = (...args: readonly string[]) =>
  readServeFlags(parseArgs({ args: [...args], options: SERVE_OPTIONS, strict: true }).values);

describe('the flags of etcd', () => {
  it('choose etcd by naming its servers', () => {
    const flags = read(
      '--etcd-servers=https://etcd-0:2379,https://[::1]:2379',
      '--etcd-prefix=/a/b/',
      '--etcd-cafile=/ca',
      '--etcd-certfile=/cert',
      '--etcd-keyfile=/key',
      '--etcd-username=me',
      '--etcd-password-file=/password',
      '--etcd-compaction-interval=1m',
    );
    expect(flags.storage).toBe('etcd:');
    expect(flags.etcd).toEqual({
      servers: ['https://etcd-0:2379', 'https://[::1]:2379'],
      prefix: '/a/b/',
      caFile: '/ca',
      certFile: '/cert',
      keyFile: '/key',
      username: 'me',
      passwordFile: '/password',
      compactionIntervalMs: 60_000,
    });
  });

  it('need nothing but the servers', () => {
    const { etcd } = read('--etcd-servers=http://127.0.0.1:2379');
    expect(etcd).toMatchObject({ prefix: '/kamaji-registry', compactionIntervalMs: 300_000, caFile: undefined });
    expect(read('--etcd-servers=unix:///run/kine.sock').etcd?.servers).toEqual(['unix:///run/kine.sock']);
    expect(read('--etcd-servers=http://a:1', '--etcd-compaction-interval=0s').etcd?.compactionIntervalMs).toBe(0);
  });

  it.each([
    [['--etcd-servers=etcd-0:2379'], '--etcd-servers'],
    [['--etcd-servers=https://a:2379,'], '--etcd-servers'],
    [['--etcd-servers=https://a:2379/path'], '--etcd-servers'],
    [['--etcd-servers=ftp://a:2379'], '--etcd-servers'],
    [['--etcd-servers=unix://relative'], '--etcd-servers'],
    [['--etcd-cafile=/ca'], '--etcd-servers'],
    [['--etcd-servers=https://a:1', '--etcd-certfile=/c'], '--etcd-keyfile'],
    [['--etcd-servers=http://a:1', '--etcd-cafile=/ca'], '--etcd-servers'],
    [['--etcd-servers=http://a:1', '--etcd-username=me'], '--etcd-password-file'],
    [['--etcd-servers=http://a:1', '--etcd-prefix=none'], '--etcd-prefix'],
    [['--etcd-servers=http://a:1', '--etcd-prefix=/'], '--etcd-prefix'],
    [['--etcd-servers=http://a:1', '--etcd-compaction-interval=5s'], '--etcd-compaction-interval'],
    [['--etcd-servers=http://a:1', '--storage=sqlite:///x.db'], '--storage'],
  ])('refuse %j', (args, flag) => {
    expect(() => read(...args)).toThrow(UsageError);
    expect(() => read(...args)).toThrow(flag);
  });

  it('do not repeat a password that somebody wrote into a URL', () => {
    expect(() => read('--etcd-servers=https://me:hunter2@etcd-0:2379')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') as string }),
    );
  });
});
