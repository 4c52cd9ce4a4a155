import { describe, expect, test } from 'vitest';
import { FakeClock, settle } from '../../base/fake-clock.ts';
import { createLogger } from '../../base/log.ts';
import { createMetrics } from '../../base/metrics.ts';
import { ApiError, ConnectionError } from '../../kubeclient/api-error.ts';
import type { KubeClient } from '../../kubeclient/client.ts';
import type { UserInfo } from '../registry/definition.ts';
import type { AuthorizationAttributes, Authorizer } from './authorizer.ts';
import { createDelegatedAuthorizer } from './delegated-authorizer.ts';
import { createSubjectAccessReviewAuthorizer } from './subject-access-review.ts';

interface Spec {
  readonly user: string;
  readonly resourceAttributes?: Readonly<Record<string, unknown>>;
  readonly nonResourceAttributes?: Readonly<Record<string, unknown>>;
}
type Answer = (spec: Spec) => object | Promise<object>;

const jane: UserInfo = { name: 'jane', uid: 'u', groups: ['dev', 'system:authenticated'], extra: { scopes: ['a'] } };
const getWidget: AuthorizationAttributes = {
  user: jane,
  verb: 'get',
  isResourceRequest: true,
  path: '/apis/example.io/v1/namespaces/ns/widgets/w',
  group: 'example.io',
  version: 'v1',
  resource: 'widgets',
  subresource: '',
  namespace: 'ns',
  name: 'w',
};
const getPath = (path: string, user: UserInfo = jane, verb = 'get'): AuthorizationAttributes => ({
  ...getWidget,
  user,
  verb,
  isResourceRequest: false,
  path,
  group: '',
  version: '',
  resource: '',
  namespace: '',
  name: '',
});
const signal = new AbortController().signal;

function setUp(answer: Answer = () => ({ allowed: true })) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const asked: Spec[] = [];
  const adminClient = {
    request: async (method: string, path: string, options: { body: { spec: Spec } }) => {
      expect([method, path]).toEqual(['POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews']);
      asked.push(options.body.spec);
      return { status: 201, body: JSON.stringify({ status: await answer(options.body.spec) }) };
    },
  } as unknown as KubeClient;
  const log = createLogger({ clock, write: (line) => void lines.push(line) });
  const review = createSubjectAccessReviewAuthorizer({ adminClient, clock, log, metrics: createMetrics() });
  return { review, asked, clock, lines };
}

describe('SubjectAccessReview', () => {
  test('asks all that the decision depends on', async () => {
    const { review, asked } = setUp();
    const attributes = {
      ...getWidget,
      verb: 'list',
      name: '',
      subresource: 'status',
      fieldSelector: 'metadata.name=w',
      labelSelector: 'a in (b,c)',
    };
    expect(await review.authorize(attributes, signal)).toEqual({ allowed: true, reason: '' });
    await review.authorize(getPath('/metrics'), signal);
    expect(asked).toEqual([
      {
        user: 'jane',
        uid: 'u',
        groups: ['dev', 'system:authenticated'],
        extra: { scopes: ['a'] },
        resourceAttributes: {
          namespace: 'ns',
          verb: 'list',
          group: 'example.io',
          version: 'v1',
          resource: 'widgets',
          subresource: 'status',
          name: '',
          fieldSelector: { rawSelector: 'metadata.name=w' },
          labelSelector: { rawSelector: 'a in (b,c)' },
        },
      },
      {
        user: 'jane',
        uid: 'u',
        groups: ['dev', 'system:authenticated'],
        extra: { scopes: ['a'] },
        nonResourceAttributes: { path: '/metrics', verb: 'get' },
      },
    ]);
  });

  test.each([
    ['yes', { allowed: true, reason: 'RBAC: allowed by x' }, { allowed: true, reason: 'RBAC: allowed by x' }],
    ['no', { allowed: false, reason: 'no' }, { allowed: false, reason: 'no' }],
    ['a denial that also says yes', { allowed: true, denied: true }, { allowed: false, reason: '' }],
    ['nothing', {}, { allowed: false, reason: '' }],
    ['a text instead of a yes', { allowed: 'true' }, { allowed: false, reason: '' }],
  ])('takes %s for what it is, for ten seconds', async (_what, status, expected) => {
    const { review, asked, clock } = setUp(() => status);
    expect(await review.authorize(getWidget, signal)).toEqual(expected);
    await clock.advance(9_000);
    expect(await review.authorize({ ...getWidget }, signal)).toEqual(expected);
    expect(asked).toHaveLength(1);
    await clock.advance(2_000);
    await review.authorize(getWidget, signal);
    expect(asked).toHaveLength(2);
  });

  test('never answers one question with the answer to another', async () => {
    const { review, asked } = setUp(({ user }) => ({ allowed: user === 'jane' }));
    const list = { ...getWidget, verb: 'list', name: '' };
    const different: AuthorizationAttributes[] = [
      getWidget,
      { ...getWidget, verb: 'update' },
      { ...getWidget, group: 'other.io' },
      { ...getWidget, version: 'v2' },
      { ...getWidget, resource: 'gadgets' },
      { ...getWidget, subresource: 'status' },
      { ...getWidget, namespace: 'ns2' },
      { ...getWidget, name: 'w2' },
      { ...getWidget, user: { ...jane, name: 'jan' } },
      { ...getWidget, user: { ...jane, uid: 'u2' } },
      { ...getWidget, user: { ...jane, groups: ['dev'] } },
      { ...getWidget, user: { ...jane, groups: ['dev,system:authenticated'] } },
      { ...getWidget, user: { ...jane, extra: { scopes: ['b'] } } },
      { ...getWidget, user: { ...jane, extra: {} } },
      list,
      { ...list, fieldSelector: 'a=b' },
      { ...list, labelSelector: 'a=b' },
      getPath('/metrics'),
      getPath('/metrics/x'),
    ];
    for (const attributes of different) {
      expect((await review.authorize(attributes, signal)).allowed).toBe(attributes.user.name === 'jane');
    }
    expect(asked).toHaveLength(different.length);
  });

  test('asks equal questions at the same time once', async () => {
    const pending = Promise.withResolvers<object>();
    const { review, asked } = setUp(() => pending.promise);
    const leaving = new AbortController();
    const left = review.authorize(getWidget, leaving.signal);
    const stayed = Array.from({ length: 50 }, () => review.authorize({ ...getWidget }, signal));
    leaving.abort();
    await expect(left).rejects.toMatchObject({ name: 'AbortError' });
    pending.resolve({ allowed: true });
    expect((await Promise.all(stayed)).every(({ allowed }) => allowed)).toBe(true);
    expect(asked).toHaveLength(1);
  });

  test.each<[string, Answer]>([
    ['a refusal', () => Promise.reject(new ApiError('forbidden', 403))],
    ['a broken server', () => Promise.reject(new ApiError('boom secret-detail', 500))],
    ['no connection', () => Promise.reject(new ConnectionError('refused', 'ECONNREFUSED'))],
    ['silence', () => Promise.reject(new ConnectionError('slow', 'TIMEOUT'))],
    ['nonsense', () => Promise.resolve([] as object)],
  ])('lets nobody do anything after %s, and asks anew next time', async (_what, answer) => {
    const { review, asked, clock, lines } = setUp(answer);
    const ask = async () => {
      const decision = review.authorize(getWidget, signal).catch((error: unknown) => error);
      await clock.advance(2_000);
      return decision;
    };
    expect(await ask()).toMatchObject({ code: 500, message: expect.not.stringContaining('secret-detail') });
    const before = asked.length;
    expect(await ask()).toMatchObject({ code: 500 });
    expect(asked.length).toBeGreaterThan(before);
    expect(lines).toHaveLength(2);
  });

  test('asks the wider question when a selector cannot be read', async () => {
    const { review, asked } = setUp(({ resourceAttributes }) => {
      if (resourceAttributes?.['fieldSelector'] !== undefined) throw new ApiError('invalid', 422);
      return { allowed: false };
    });
    const attributes = { ...getWidget, verb: 'list', fieldSelector: '???' };
    expect((await review.authorize(attributes, signal)).allowed).toBe(false);
    expect(asked).toHaveLength(2);
  });
});

describe('what needs no question', () => {
  const loopbackUser: UserInfo = {
    name: 'system:kamaji:controllers',
    uid: 'secret',
    groups: ['system:authenticated'],
    extra: {},
  };
  const refuse: Authorizer = { authorize: async () => ({ allowed: false, reason: 'asked' }) };
  const authorizer = createDelegatedAuthorizer({
    review: refuse,
    isLoopback: (user) => user.uid === 'secret',
    ownGroups: ['example.io'],
  });
  const decide = async (attributes: AuthorizationAttributes) => {
    const { allowed, reason } = await authorizer.authorize(attributes, signal);
    return allowed ? 'allowed' : reason === 'asked' ? 'asked' : 'denied';
  };
  const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'], extra: {} };
  const master: UserInfo = { name: 'admin', groups: ['system:masters'], extra: {} };
  const aggregator: UserInfo = { name: 'system:kube-aggregator', groups: ['system:authenticated'], extra: {} };

  test.each<[AuthorizationAttributes, string]>([
    [getPath('/healthz', anonymous), 'allowed'],
    [getPath('/livez/ping', anonymous), 'allowed'],
    [getPath('/readyz', anonymous), 'allowed'],
    [getPath('/readyz', anonymous, 'post'), 'asked'],
    [getPath('/readyzz', anonymous), 'asked'],
    [getPath('/metrics', anonymous), 'asked'],
    [getPath('/apis/example.io/v1', anonymous), 'asked'],
    [getPath('/apis', aggregator), 'allowed'],
    [getPath('/apis/example.io/v1', aggregator), 'allowed'],
    [getPath('/openapi/v2', aggregator), 'allowed'],
    [getPath('/openapi/v3/apis/example.io/v1', aggregator), 'allowed'],
    [getPath('/metrics', aggregator), 'asked'],
    [{ ...getWidget, user: aggregator }, 'asked'],
    [{ ...getWidget, user: anonymous }, 'asked'],
    [{ ...getWidget, user: master, verb: 'delete' }, 'allowed'],
    [getPath('/metrics', master), 'allowed'],
    [{ ...getWidget, user: { ...master, groups: ['a, system:masters'] } }, 'asked'],
    [{ ...getWidget, user: loopbackUser, verb: 'delete' }, 'allowed'],
    [{ ...getWidget, user: loopbackUser, group: 'apps' }, 'denied'],
    [{ ...getWidget, user: loopbackUser, group: '' }, 'denied'],
    [getPath('/apis/example.io/v1', loopbackUser), 'allowed'],
    [getPath('/metrics', loopbackUser), 'denied'],
    [{ ...getWidget, user: { ...loopbackUser, uid: 'guess' } }, 'asked'],
  ])('%o: %s', async (attributes, expected) => {
    await settle();
    expect(await decide(attributes)).toBe(expected);
  });
});
