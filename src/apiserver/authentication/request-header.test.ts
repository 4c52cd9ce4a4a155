import { describe, expect, test } from 'vitest';
import { ChainLink, CLIENT_AUTH, showToServer } from '../../../test/env/test-chain.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { parseTrustBundle } from './client-certificate-verifier.ts';
import { createRequestHeaderAuthenticator, type RequestHeaderConfig } from './request-header.ts';

const client = { usages: [CLIENT_AUTH] };
const clock = new FakeClock(Date.now());
const root = await ChainLink.root({ name: 'CN=front-proxy-ca' });
const proxy = await showToServer(await root.issue({ name: 'CN=front-proxy-client', ...client }));
const config: RequestHeaderConfig = {
  trust: parseTrustBundle(root.certificate),
  allowedNames: ['front-proxy-client'],
  usernameHeaders: ['x-remote-user'],
  uidHeaders: ['x-remote-uid'],
  groupHeaders: ['x-remote-group'],
  extraHeaderPrefixes: ['x-remote-extra-'],
};

/** Who a request with these headers is, coming from the front proxy unless told otherwise. */
async function identify(
  headers: readonly (readonly [string, string])[],
  peerCertificate: typeof proxy | undefined = proxy,
  settings: RequestHeaderConfig | undefined = config,
) {
  const authenticator = createRequestHeaderAuthenticator(() => settings, clock);
  const facts = {
    rawHeaders: headers.flat(),
    peerCertificate,
    remoteAddress: undefined,
    signal: new AbortController().signal,
  };
  return (await authenticator.authenticate(facts))?.user;
}

describe('identity headers of the front proxy', () => {
  test('say who the user is', async () => {
    const user = await identify([
      ['Host', 'x'],
      ['X-Remote-User', 'jane'],
      ['X-Remote-Uid', 'u-1'],
      ['X-REMOTE-GROUP', 'dev'],
      ['x-remote-group', 'ops'],
      ['X-Remote-Extra-Scopes', 'a'],
      ['X-Remote-Extra-scopes', 'b'],
      ['X-Remote-Extra-authentication.kubernetes.io%2fcredential-id', 'JTI=1'],
    ]);
    expect(user).toEqual({
      name: 'jane',
      uid: 'u-1',
      groups: ['dev', 'ops', 'system:authenticated'],
      extra: { scopes: ['a', 'b'], 'authentication.kubernetes.io/credential-id': ['JTI=1'] },
    });
  });

  test('keep a group with a comma one group', async () => {
    const user = await identify([
      ['X-Remote-User', 'eve'],
      ['X-Remote-Group', 'a, system:masters'],
      ['X-Remote-Group', 'b'],
    ]);
    expect(user?.groups).toEqual(['a, system:masters', 'b', 'system:authenticated']);
  });

  test('may hold any UTF-8, which Node shows as Latin-1', async () => {
    const wire = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
    const user = await identify([
      ['X-Remote-User', wire('jürgen€😀')],
      ['X-Remote-Group', wire('büro')],
      ['X-Remote-Extra-%C3%BC', wire('ö')],
    ]);
    expect(user).toMatchObject({ name: 'jürgen€😀', groups: ['büro', 'system:authenticated'], extra: { ü: ['ö'] } });
  });

  test('that are no text are refused rather than mended', async () => {
    await expect(identify([['X-Remote-User', 'a\xff']])).rejects.toMatchObject({ code: 401 });
    await expect(
      identify([
        ['X-Remote-User', 'a'],
        ['X-Remote-Group', '\xc3'],
      ]),
    ).rejects.toMatchObject({ code: 401 });
  });

  test('that name two users, or two uids, are refused', async () => {
    await expect(
      identify([
        ['X-Remote-User', 'jane'],
        ['x-remote-user', 'admin'],
      ]),
    ).rejects.toMatchObject({ code: 401 });
    await expect(
      identify([
        ['X-Remote-User', 'jane'],
        ['X-Remote-Uid', '1'],
        ['X-Remote-Uid', '2'],
      ]),
    ).rejects.toMatchObject({ code: 401 });
  });

  test('with odd extra keys harm nothing', async () => {
    const user = await identify([
      ['X-Remote-User', 'jane'],
      ['X-Remote-Extra-__proto__', 'x'],
      ['X-Remote-Extra-%zz', 'y'],
      ['X-Remote-Extra-', 'z'],
    ]);
    expect(Object.entries(user!.extra)).toEqual([
      ['__proto__', ['x']],
      ['%zz', ['y']],
      ['', ['z']],
    ]);
    expect(({} as Record<string, unknown>)['0']).toBeUndefined();
  });

  test('without groups get the group of all who are known; anonymous users do not', async () => {
    expect((await identify([['X-Remote-User', 'system:aggregator']]))?.groups).toEqual(['system:authenticated']);
    const anonymous = await identify([
      ['X-Remote-User', 'system:anonymous'],
      ['X-Remote-Group', 'system:unauthenticated'],
    ]);
    expect(anonymous?.groups).toEqual(['system:unauthenticated']);
  });

  test('are none without a user', async () => {
    expect(await identify([['X-Remote-Group', 'system:masters']])).toBeUndefined();
    expect(
      await identify([
        ['X-Remote-User', ''],
        ['X-Remote-Group', 'system:masters'],
      ]),
    ).toBeUndefined();
  });
});

describe('identity headers are as if not there', () => {
  const asAdmin = [
    ['X-Remote-User', 'admin'],
    ['X-Remote-Group', 'system:masters'],
  ] as const;
  const authenticator = (settings: RequestHeaderConfig | undefined) =>
    createRequestHeaderAuthenticator(() => settings, clock);
  const ask = (peerCertificate: typeof proxy | undefined, settings: RequestHeaderConfig | undefined = config) =>
    authenticator(settings).authenticate({
      rawHeaders: asAdmin.flat(),
      peerCertificate,
      remoteAddress: '127.0.0.1',
      signal: new AbortController().signal,
    });

  test('without a client certificate', async () => {
    expect(await ask(undefined)).toBeUndefined();
  });

  test('with a certificate of another authority of the same name', async () => {
    const other = await ChainLink.root({ name: 'CN=front-proxy-ca' });
    expect(
      await ask(await showToServer(await other.issue({ name: 'CN=front-proxy-client', ...client }))),
    ).toBeUndefined();
  });

  test('with the right certificate that a wrong authority signed, shown beside the right authority', async () => {
    const other = await ChainLink.root({ name: 'CN=front-proxy-ca' });
    const forged = await other.issue({ name: 'CN=front-proxy-client', ...client });
    expect(await ask(await showToServer(forged, root))).toBeUndefined();
  });

  test('with a name that is not allowed', async () => {
    const wrong = await showToServer(await root.issue({ name: 'CN=front-proxy-client2', ...client }));
    expect(await ask(wrong)).toBeUndefined();
    const twisted = await showToServer(await root.issue({ name: 'O=front-proxy-client,CN=x', ...client }));
    expect(await ask(twisted)).toBeUndefined();
    expect((await ask(wrong, { ...config, allowedNames: [] }))?.user.name).toBe('admin');
  });

  test('before the cluster has told who its front proxy is', async () => {
    expect(
      await authenticator(undefined).authenticate({
        rawHeaders: asAdmin.flat(),
        peerCertificate: proxy,
        remoteAddress: undefined,
        signal: new AbortController().signal,
      }),
    ).toBeUndefined();
  });
});
