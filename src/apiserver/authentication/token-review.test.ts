import { describe, expect, test } from 'vitest';
import { FakeClock, settle } from '../../base/fake-clock.ts';
import { createLogger } from '../../base/log.ts';
import { createMetrics } from '../../base/metrics.ts';
import { ApiError, ConnectionError } from '../../kubeclient/api-error.ts';
import type { KubeClient } from '../../kubeclient/client.ts';
import { createLoopback } from './loopback.ts';
import { createTokenReviewAuthenticator } from './token-review.ts';

type Answer = (token: string) => object | Promise<object>;

const jane: Answer = (token) =>
  token === 'good'
    ? { authenticated: true, user: { username: 'jane', uid: 'u', groups: ['dev'], extra: { scopes: ['a'] } } }
    : { authenticated: false, error: 'invalid' };

function setUp(answer: Answer = jane) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const asked: string[] = [];
  const adminClient = {
    request: async (method: string, path: string, options: { body: { spec: { token: string } } }) => {
      expect([method, path]).toEqual(['POST', '/apis/authentication.k8s.io/v1/tokenreviews']);
      const { token } = options.body.spec;
      asked.push(token);
      return {
        status: 201,
        body: JSON.stringify({ kind: 'TokenReview', spec: { token }, status: await answer(token) }),
      };
    },
  } as unknown as KubeClient;
  const log = createLogger({ clock, level: 'debug', write: (line) => void lines.push(line) });
  const metrics = createMetrics();
  const authenticator = createTokenReviewAuthenticator({ adminClient, clock, log, metrics });
  const login = (...headers: string[]) =>
    authenticator.authenticate({
      rawHeaders: headers.flatMap((value) => ['Authorization', value]),
      peerCertificate: undefined,
      remoteAddress: undefined,
      signal: new AbortController().signal,
    });
  return { authenticator, login, asked, clock, lines, metrics };
}

describe('TokenReview', () => {
  test('lets in whom kube-apiserver knows, and asks once in ten seconds', async () => {
    const { login, asked, clock } = setUp();
    const found = await login('Bearer good');
    expect(found?.user).toEqual({
      name: 'jane',
      uid: 'u',
      groups: ['dev', 'system:authenticated'],
      extra: { scopes: ['a'] },
    });
    await clock.advance(9_000);
    await login('bearer   good');
    expect(asked).toEqual(['good']);
    await clock.advance(2_000);
    await login('Bearer good');
    expect(asked).toEqual(['good', 'good']);
  });

  test('refuses whom it does not, and does not ask again at once', async () => {
    const { login, asked, clock } = setUp();
    await expect(login('Bearer bad')).rejects.toMatchObject({ code: 401 });
    await expect(login('Bearer bad')).rejects.toMatchObject({ code: 401 });
    expect(asked).toEqual(['bad']);
    await clock.advance(3_000);
    await expect(login('Bearer bad')).rejects.toMatchObject({ code: 401 });
    expect(asked).toEqual(['bad', 'bad']);
  });

  test('leaves requests without a bearer token to others', async () => {
    const { login, asked } = setUp();
    for (const header of ['', 'Basic Zm9vOmJhcg==', 'Bearer', 'Bearer a b', 'Bearergood']) {
      expect(await login(header)).toBeUndefined();
    }
    expect(await login()).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test('refuses two tokens, and what is no token for its size', async () => {
    const { login, asked } = setUp();
    await expect(login('Bearer good', 'Bearer bad')).rejects.toMatchObject({ code: 401 });
    await expect(login(`Bearer ${'x'.repeat(70_000)}`)).rejects.toMatchObject({ code: 401 });
    expect(asked).toEqual([]);
  });

  test('asks once for equal tokens at the same time', async () => {
    const { login, asked } = setUp(async (token) => {
      await settle();
      return jane(token);
    });
    const found = await Promise.all(Array.from({ length: 20 }, () => login('Bearer good')));
    expect(new Set(found.map((one) => one?.user.name))).toEqual(new Set(['jane']));
    expect(asked).toHaveLength(1);
  });

  test.each<[string, Answer]>([
    ['an answer without a user', () => ({ authenticated: true })],
    ['an answer with a nameless user', () => ({ authenticated: true, user: { username: '' } })],
    ['a refusal', () => Promise.reject(new ApiError('forbidden', 403))],
    ['silence', () => Promise.reject(new ConnectionError('too slow', 'TIMEOUT'))],
  ])('lets nobody in after %s, and does not remember it', async (_what, answer) => {
    const { login, asked, lines } = setUp(answer);
    await expect(login('Bearer good')).rejects.toMatchObject({ code: 503 });
    await expect(login('Bearer good')).rejects.toMatchObject({ code: 503 });
    expect(asked).toHaveLength(2);
    expect(lines).toHaveLength(2);
  });

  test('tries again when kube-apiserver was away for a moment', async () => {
    let failures = 2;
    const { login, asked, clock } = setUp((token) => {
      if (failures-- > 0) throw new ConnectionError('refused', 'ECONNREFUSED');
      return jane(token);
    });
    const found = login('Bearer good');
    await clock.advance(1_000);
    expect((await found)?.user.name).toBe('jane');
    expect(asked).toHaveLength(3);
  });

  test('does not let a flood of guesses grow, nor push out who is known', async () => {
    const pending = Promise.withResolvers<object>();
    const { login, asked } = setUp((token) => (token === 'good' ? jane(token) : pending.promise));
    await login('Bearer good');
    const guesses = Array.from({ length: 300 }, (_, n) =>
      login(`Bearer guess-${n}`).catch((error: { code: number }) => error.code),
    );
    await settle();
    pending.resolve({ authenticated: false });
    const codes = await Promise.all(guesses);
    expect(codes.filter((code) => code === 401)).toHaveLength(100);
    expect(codes.filter((code) => code === 429)).toHaveLength(200);
    await login('Bearer good');
    expect(asked.filter((token) => token === 'good')).toHaveLength(1);
  });

  test('a caller who leaves takes nobody along', async () => {
    const pending = Promise.withResolvers<object>();
    const { authenticator, login, asked } = setUp(() => pending.promise);
    const leaving = new AbortController();
    const first = authenticator.authenticate({
      rawHeaders: ['authorization', 'Bearer good'],
      peerCertificate: undefined,
      remoteAddress: undefined,
      signal: leaving.signal,
    });
    const second = login('Bearer good');
    leaving.abort();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    pending.resolve(jane('good'));
    expect((await second)?.user.name).toBe('jane');
    expect(asked).toHaveLength(1);
  });

  test('no token is in the log or in the metrics', async () => {
    const { login, lines, metrics } = setUp(() => Promise.reject(new ApiError('no', 403)));
    await expect(login('Bearer s3cr3t-token-value')).rejects.toMatchObject({ code: 503 });
    expect(lines.join('') + (await metrics.text())).not.toContain('s3cr3t');
  });
});

describe('the loopback token', () => {
  const facts = (value: string) => ({
    rawHeaders: ['Authorization', value],
    peerCertificate: undefined,
    remoteAddress: undefined,
    signal: new AbortController().signal,
  });

  test('is the one way to be the loopback user', async () => {
    const loopback = createLoopback('system:kamaji:controllers');
    const { user } = (await loopback.authenticate(facts(`Bearer ${loopback.token}`)))!;
    expect(user).toMatchObject({ name: 'system:kamaji:controllers', groups: ['system:authenticated'] });
    expect(loopback.isLoopback(user)).toBe(true);
    // The same name by any other way, such as impersonation, is somebody else.
    expect(loopback.isLoopback({ name: user.name, groups: user.groups, extra: {} })).toBe(false);
    expect(createLoopback(user.name).isLoopback(user)).toBe(false);
  });

  test('is a different one each time, and nothing else opens', async () => {
    const loopback = createLoopback('x');
    const other = createLoopback('x');
    expect(loopback.token).not.toBe(other.token);
    for (const token of [other.token, loopback.token.slice(0, -1), `${loopback.token}A`, 'x']) {
      expect(await loopback.authenticate(facts(`Bearer ${token}`))).toBeUndefined();
    }
    expect(await loopback.authenticate(facts(loopback.token))).toBeUndefined();
  });
});
