import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../base/fake-clock.ts';
import { KubeconfigError, loadInCluster, loadKubeconfig, parseKubeconfig } from './kubeconfig.ts';

const pem = (what: string): string => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function kubeconfig(cluster: object = {}, user: object = {}, context: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'ctx',
    contexts: [{ name: 'ctx', context: { cluster: 'c', user: 'u', ...context } }],
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user }],
  };
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'kubeconfig-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe('parseKubeconfig', () => {
  it('reads inline certificates and names', async () => {
    const parsed = parseKubeconfig(
      kubeconfig(
        { 'certificate-authority-data': base64(pem('CERTIFICATE')), 'tls-server-name': 'kubernetes.default' },
        { 'client-certificate-data': base64(pem('CERTIFICATE')), 'client-key-data': base64(pem('PRIVATE KEY')) },
        { namespace: 'ns' },
      ),
    );
    expect(parsed).toMatchObject({
      server: 'https://127.0.0.1:6443',
      serverName: 'kubernetes.default',
      namespace: 'ns',
      insecureSkipTlsVerify: false,
    });
    expect(await parsed.credentials.current()).toEqual({
      ca: pem('CERTIFICATE'),
      certificate: pem('CERTIFICATE'),
      key: pem('PRIVATE KEY'),
      token: undefined,
    });
  });

  it('takes another context than the current one', () => {
    const config = kubeconfig() as { contexts: object[] };
    config.contexts.push({ name: 'other', context: { cluster: 'c', namespace: 'elsewhere' } });
    expect(parseKubeconfig(config, { context: 'other' }).namespace).toBe('elsewhere');
  });

  it.each<[string, unknown, RegExp]>([
    ['no object', 'text', /must be an object/],
    ['another kind', { kind: 'Secret' }, /kind Config/],
    ['no current context', { ...kubeconfig(), 'current-context': '' }, /current-context/],
    ['an unknown context', { ...kubeconfig(), 'current-context': 'x' }, /no context named "x"/],
    ['an unknown cluster', kubeconfig({}, {}, { cluster: 'x' }), /no cluster named "x"/],
    ['an unknown user', kubeconfig({}, {}, { user: 'x' }), /no user named "x"/],
    ['no server', kubeconfig({ server: '' }), /no server/],
    ['no URL', kubeconfig({ server: '127.0.0.1:6443' }), /http\(s\) URL/],
    ['another scheme', kubeconfig({ server: 'ftp://x' }), /http\(s\) URL/],
    ['a password in the URL', kubeconfig({ server: 'https://a:b@x' }), /password/],
    ['credentials over plain http', kubeconfig({ server: 'http://x' }, { token: 't' }), /plain http/],
    ['no verification', kubeconfig({ 'insecure-skip-tls-verify': true }), /insecure-skip-tls-verify/],
    ['exec', kubeconfig({}, { exec: { command: 'aws' } }), /user u uses exec, which is not supported/],
    ['auth-provider', kubeconfig({}, { 'auth-provider': { name: 'oidc' } }), /auth-provider/],
    ['a password', kubeconfig({}, { username: 'a', password: 'hunter22' }), /username/],
    ['impersonation', kubeconfig({}, { as: 'root' }), /uses as,/],
    ['a proxy', kubeconfig({ 'proxy-url': 'socks5://x' }), /proxy-url/],
    [
      'a certificate without key',
      kubeconfig({}, { 'client-certificate-data': base64(pem('CERTIFICATE')) }),
      /both client-certificate and client-key/,
    ],
    ['data that is no PEM', kubeconfig({ 'certificate-authority-data': 'bm90IHBlbQ==' }), /not PEM in base64/],
    ['a number as token', kubeconfig({}, { token: 12345 }), /token must be a string/],
  ])('refuses %s', (_, config, message) => {
    expect(() => parseKubeconfig(config)).toThrow(KubeconfigError);
    expect(() => parseKubeconfig(config)).toThrow(message);
  });

  it('skips verification only where the caller allows it', () => {
    const config = kubeconfig({ 'insecure-skip-tls-verify': true });
    expect(parseKubeconfig(config, { allowInsecure: true }).insecureSkipTlsVerify).toBe(true);
  });
});

describe('loadKubeconfig', () => {
  it('reads YAML, and files beside it, anew as time passes', async () => {
    const clock = new FakeClock();
    await writeFile(path.join(directory, 'token'), 'first\n');
    const config = kubeconfig({}, { tokenFile: 'token' });
    const { stringify } = await import('yaml');
    await writeFile(path.join(directory, 'config'), stringify(config));
    const loaded = await loadKubeconfig(path.join(directory, 'config'), { clock });
    const first = await loaded.credentials.current();
    expect(first.token).toBe('first');
    await writeFile(path.join(directory, 'token'), 'second\n');
    expect(await loaded.credentials.current()).toBe(first);
    await clock.advance(60_000);
    expect((await loaded.credentials.current()).token).toBe('second');
  });

  it('says what is wrong without quoting the file', async () => {
    const file = path.join(directory, 'config');
    await expect(loadKubeconfig(file)).rejects.toThrow(/cannot read the kubeconfig/);
    await writeFile(file, 'users:\n- token: S3cr3t\n  - broken: [');
    const error = await loadKubeconfig(file).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KubeconfigError);
    expect(String(error)).toMatch(/is not YAML \(line \d/);
    expect(String(error)).not.toContain('S3cr3t');
  });
});

describe('loadInCluster', () => {
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  it('reads the service account, keeps it while files are away, and reads again when told', async () => {
    const clock = new FakeClock();
    for (const [name, text] of Object.entries({
      'ca.crt': pem('CERTIFICATE'),
      token: 'one',
      namespace: 'kamaji-system\n',
    })) {
      await writeFile(path.join(directory, name), text);
    }
    const loaded = await loadInCluster({ environment, directory, clock });
    expect(loaded).toMatchObject({ server: 'https://[fd00::1]:443', namespace: 'kamaji-system' });
    await writeFile(path.join(directory, 'token'), 'two');
    loaded.credentials.invalidate();
    await clock.advance(1000);
    expect((await loaded.credentials.current()).token).toBe('two');
    await rm(path.join(directory, 'token'));
    await clock.advance(60_000);
    expect((await loaded.credentials.current()).token).toBe('two');
    await writeFile(path.join(directory, 'token'), 'three');
    await clock.advance(60_000);
    expect((await loaded.credentials.current()).token).toBe('three');
  });

  it('says when there is none', async () => {
    await expect(loadInCluster({ environment: {} })).rejects.toThrow(/not in a cluster/);
    await expect(loadInCluster({ environment, directory })).rejects.toThrow(/no service account/);
  });
});
