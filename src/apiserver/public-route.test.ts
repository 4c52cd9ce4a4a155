import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newForbidden } from '../apimachinery/status.ts';
import type { PublicRoute } from './public-route.ts';
import { TestServer } from './testing/test-server.ts';
import { widgetDefinition } from './testing/widget.ts';

const seen: unknown[] = [];
const route: PublicRoute = {
  path: '/webhooks/echo',
  async answer(body) {
    await Promise.resolve();
    seen.push(body);
    const { what } = body as { readonly what?: string };
    if (what === 'refuse') throw newForbidden({ group: '', resource: 'things' }, 'x', 'it is not allowed');
    if (what === 'crash') throw new Error('the password is hunter2');
    return what === undefined ? undefined : { heard: what };
  },
};

describe('a public route', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.open({ definitions: [widgetDefinition], publicRoutes: [route] });
  });
  afterAll(() => server.close());

  const post = (body: string | object, headers: Readonly<Record<string, string>> = {}) =>
    server.call('POST', '/webhooks/echo', { body, anonymous: true, headers });

  it('answers whoever asks', async () => {
    const answer = await post({ what: 'this' });
    expect(answer.code).toBe(200);
    expect(answer.body).toEqual({ heard: 'this' });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(
      (await server.call('POST', '/webhooks/echo?timeout=10s', { body: { what: 'that' }, anonymous: true })).code,
    ).toBe(200);
  });

  it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD'])('has no %s', async (method) => {
    const { code } = await server.call(method, '/webhooks/echo', { anonymous: true });
    expect(code).toBe(405);
  });

  it.each([
    ['no JSON', '{', /not JSON/],
    ['nothing', '', /not JSON/],
    ['a number', '7', /not what \/webhooks\/echo expects/],
    ['null', 'null', /not what \/webhooks\/echo expects/],
    ['something else', '{"kind":"Pod"}', /not what \/webhooks\/echo expects/],
  ])('refuses %s', async (_what, body, message) => {
    const answer = await post(body);
    expect(answer.code).toBe(400);
    expect(answer.body).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'BadRequest' });
    expect(answer.body.message).toMatch(message);
  });

  it('refuses a body that is too large before it has read it', async () => {
    const before = seen.length;
    const answer = await post(`{"what":"${'x'.repeat(4 * 1024 * 1024)}"}`);
    expect(answer.code).toBe(413);
    expect(seen).toHaveLength(before);
  });

  it('passes refusals on, and says nothing of what went wrong inside', async () => {
    expect((await post({ what: 'refuse' })).code).toBe(403);
    const crashed = await post({ what: 'crash' });
    expect(crashed.code).toBe(500);
    expect(crashed.text).not.toContain('hunter2');
  });

  it.each(['/webhooks/echo/', '/webhooks/echo/more', '/webhooks', '/webhooks/other', '/WEBHOOKS/echo'])(
    'is this path alone: %s asks who it is',
    async (path) => {
      const before = seen.length;
      const { code } = await server.call('POST', path, { body: { what: 'this' }, anonymous: true });
      expect(code).toBe(401);
      expect((await server.call('GET', path)).code).toBe(404);
      expect(seen).toHaveLength(before);
    },
  );
});
