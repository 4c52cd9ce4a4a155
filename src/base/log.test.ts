import { describe, expect, it } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { createLogger, type Logger, type LogLevel } from './log.ts';
import { isSecretName } from './redact.ts';

function capture(level?: LogLevel): { log: Logger; lines: () => Record<string, unknown>[]; raw: string[] } {
  const raw: string[] = [];
  const options = { clock: new FakeClock(0), write: (line: string) => void raw.push(line) };
  const log = createLogger(level ? { ...options, level } : options);
  return { log, raw, lines: () => raw.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('createLogger', () => {
  it('writes one JSON object a line, with the fields of its ancestors', () => {
    const { log, lines, raw } = capture();
    log.child({ controller: 'tenant' }).child({ object: 'ns/a' }).info('reconciled\nwell', { tookMs: 3 });
    expect(raw).toHaveLength(1);
    expect(raw[0]!.indexOf('\n')).toBe(raw[0]!.length - 1);
    expect(lines()).toEqual([
      {
        time: '1970-01-01T00:00:00.000Z',
        level: 'info',
        msg: 'reconciled\nwell',
        controller: 'tenant',
        object: 'ns/a',
        tookMs: 3,
      },
    ]);
  });

  it('drops what is below its level', () => {
    const { log, lines } = capture('warn');
    log.info('no');
    log.warn('yes');
    expect(log.enabled('debug')).toBe(false);
    expect(lines().map((line) => line['msg'])).toEqual(['yes']);
  });

  it('writes errors with stack, code and cause', () => {
    const { log, lines } = capture();
    log.error('failed', {
      error: new TypeError('outer', { cause: Object.assign(new Error('inner'), { code: 'ECONNRESET' }) }),
    });
    const error = lines()[0]!['error'] as Record<string, unknown>;
    expect(error).toMatchObject({
      name: 'TypeError',
      message: 'outer',
      cause: { message: 'inner', code: 'ECONNRESET' },
    });
    expect(error['stack']).toContain('log.test.ts');
  });

  it('never throws for what it is given', () => {
    const { log, lines } = capture();
    const loop: Record<string, unknown> = { big: 10n, when: new Date(NaN), map: new Map([['a', new Set([1])]]) };
    loop['self'] = loop;
    const bad = {
      get x(): string {
        throw new Error('getter');
      },
    };
    log.info('loop', loop);
    log.info('bad', { bad });
    log.info('huge', { text: 'x'.repeat(1_000_000), list: Array.from({ length: 10_000 }, () => 1) });
    expect(lines()[0]).toMatchObject({ big: '10', self: { big: '10', self: '[circular]' }, map: { a: [1] } });
    expect(lines()[1]).toMatchObject({ msg: 'bad', logError: 'getter' });
    expect(JSON.stringify(lines()[2]).length).toBeLessThan(12_000);
  });
});

describe('redaction', () => {
  const secret = 'S3cr3tV4lue';

  it.each([
    'token',
    'bootstrapToken',
    'id_token',
    'key',
    'tls.key',
    'ca.key',
    'client-key',
    'clientKey',
    'client-key-data',
    'apiKey',
    'password',
    'DB_PASSWORD',
    'kubeconfig',
    'adminKubeconfig',
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'credentials',
    'privateKey',
  ])('hides the value of %s', (name) => {
    const { log, raw } = capture();
    log.info('x', { [name]: secret, nested: { deep: [{ [name]: { inner: secret } }] } });
    expect(raw.join('')).not.toContain(secret);
  });

  it.each([
    'name',
    'monkey',
    'publicKey',
    'keyAlgorithm',
    'tokenCount',
    'object',
    'secretName',
    'author',
    'continueToken',
  ])('leaves %s alone', (name) => {
    expect(isSecretName(name)).toBe(false);
  });

  it('hides the payload of Secrets, and credentials inside texts', () => {
    const { log, raw } = capture();
    log.warn('x', {
      object: { kind: 'Secret', metadata: { name: 'kept' }, data: { a: secret }, stringData: { b: secret } },
    });
    log.warn(`-----BEGIN EC PRIVATE KEY-----\n${secret}\n-----END EC PRIVATE KEY-----`);
    log.warn('cut', { text: `-----BEGIN PRIVATE KEY-----\n${secret}` });
    log.warn(`Authorization: Bearer ${secret}`, { error: new Error(`postgres://user:${secret}@host/db`) });
    log.warn('eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlU2lnbmF0dXJl');
    log.warn('join with abcdef.0123456789abcdef');
    log.warn(`{"token":"${secret}"} --token=${secret}`);
    for (const kind of ['PRIVATE', 'EC PRIVATE', 'RSA PRIVATE']) {
      log.warn(`client: ${Buffer.from(`-----BEGIN ${kind} KEY-----\n${secret.repeat(3)}`).toString('base64')}`);
    }
    const text = raw.join('');
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(4, 12));
    expect(text).not.toContain('LS0t');
    expect(text).not.toContain('c2lnbmF0dXJl');
    expect(text).not.toContain('0123456789abcdef');
    expect(text).toContain('kept');
    expect(text).toContain('postgres://user:[redacted]@host/db');
  });
});
