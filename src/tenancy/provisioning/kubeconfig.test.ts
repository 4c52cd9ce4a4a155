import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kubeconfigClient, kubeconfigText, newKubeconfig, serverUrl } from './kubeconfig.ts';

const parts = {
  clusterName: 't1',
  server: 'https://192.0.2.10:6443',
  caCertificate: 'CA\n',
  userName: 'kubernetes-admin',
};
const client = { certificate: 'CERT\n', key: 'KEY\n' };

describe('kubeconfig', () => {
  it('is named as kubeadm names it', () => {
    expect(parse(kubeconfigText(newKubeconfig({ ...parts, client })))).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 't1', cluster: { server: 'https://192.0.2.10:6443', 'certificate-authority-data': 'Q0EK' } }],
      contexts: [{ name: 'kubernetes-admin@t1', context: { cluster: 't1', user: 'kubernetes-admin' } }],
      'current-context': 'kubernetes-admin@t1',
      preferences: {},
      users: [
        { name: 'kubernetes-admin', user: { 'client-certificate-data': 'Q0VSVAo=', 'client-key-data': 'S0VZCg==' } },
      ],
    });
  });

  it('may hold a token', () => {
    expect(newKubeconfig({ ...parts, token: 'abc' }).users).toEqual([
      { name: 'kubernetes-admin', user: { token: 'abc' } },
    ]);
  });

  it('keeps names as they are that YAML would read otherwise', () => {
    const config = newKubeconfig({ ...parts, clusterName: 'no', userName: '1e3', client });
    expect(parse(kubeconfigText(config), { version: '1.1' })).toEqual(config);
  });

  it('gives the client certificate back, from YAML and from JSON', () => {
    const config = newKubeconfig({ ...parts, client });
    expect(kubeconfigClient(kubeconfigText(config))).toEqual(client);
    expect(kubeconfigClient(JSON.stringify(config))).toEqual(client);
  });

  it.each([
    '',
    '{',
    ': :\n\t- x',
    'null',
    '[]',
    'users: 1',
    'users: [{}]',
    'users: [{user: {token: a}}]',
    '&a [*a]',
    'a: &a [x]\nusers: [*a, *a]',
  ])('has no certificate: %j', (text) => {
    expect(kubeconfigClient(text)).toBeUndefined();
  });

  it('writes URLs of every sort of host', () => {
    expect(serverUrl('a.b', 1)).toBe('https://a.b:1');
    expect(serverUrl('192.0.2.1', 6443)).toBe('https://192.0.2.1:6443');
    expect(serverUrl('2001:db8::1', 6443)).toBe('https://[2001:db8::1]:6443');
  });
});
