import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { expectGolden } from '../../../../test/env/golden.ts';
import { tenantInputFixture } from '../../../../test/env/tenant.ts';
import type { KubeObject } from '../../../apimachinery/object.ts';
import { addonComponents } from '../addons/all.ts';
import { LABEL_COMPONENT, LABEL_PROJECT } from '../names.ts';
import { tenantClusterComponents } from './all.ts';
import { clusterInfo } from './cluster-info.ts';
import { kubeadmConfig } from './kubeadm-config.ts';

const golden = (name: string): URL => new URL(`golden/${name}.yaml`, import.meta.url);
const own = tenantClusterComponents.filter((component) => !addonComponents.includes(component));
const allAddons = { addons: { coreDNS: {}, kubeProxy: {} } };

function fileOf(objects: readonly KubeObject[], kind: string, key: string): unknown {
  const object: (KubeObject & { readonly data?: Readonly<Record<string, string>> }) | undefined = objects.find(
    (candidate) => candidate.kind === kind,
  );
  return parse(object?.data?.[key] ?? '', { version: '1.1' });
}

describe('golden files', () => {
  it.each(own)('$name', async (component) => {
    await expectGolden(component.desired(tenantInputFixture(allAddons)), golden(component.name));
  });

  it('kubeadm-config without add-ons, with names of its own, dual stack', async () => {
    const input = tenantInputFixture(
      {
        networkProfile: {
          certSANs: ['api.example.org'],
          clusterDomain: 'tenant.example.org',
          serviceCidrs: ['10.97.0.0/16', 'fd00:10:97::/112'],
          podCidrs: ['10.245.0.0/16', 'fd00:10:245::/56'],
        },
        kubernetes: { version: '1.35.4', encryptionAlgorithm: 'RSA-2048' },
      },
      { endpoint: { host: '2001:db8::1', port: 7443, clusterIp: '10.96.178.108' } },
    );
    await expectGolden(kubeadmConfig.desired(input), golden('kubeadm-config-other'));
  });

  it('are all asked for', () => {
    const files = readdirSync(new URL('golden', import.meta.url)).map((name) => name.replace('.yaml', ''));
    expect(files.sort()).toEqual([...own.map((component) => component.name), 'kubeadm-config-other'].sort());
  });
});

describe('every component', () => {
  it('is in the table', () => {
    const files = readdirSync(new URL('.', import.meta.url)).filter((name) => /^[a-z-]+\.ts$/.test(name));
    const others = new Set(['all.ts', 'objects.ts', 'kubelet-configuration.ts']);
    expect(own.map((component) => `${component.name}.ts`).sort()).toEqual(
      files.filter((name) => !others.has(name)).sort(),
    );
  });

  it('labels its objects, names each once, and is of the tenant', () => {
    const input = tenantInputFixture(allAddons);
    const seen = new Set<string>();
    for (const component of tenantClusterComponents) {
      expect(component.cluster).toBe('tenant');
      for (const object of component.desired(input)) {
        expect(object.metadata.labels).toMatchObject({ [LABEL_PROJECT]: 'kamaji', [LABEL_COMPONENT]: component.name });
        const id = `${object.kind}/${object.metadata.namespace}/${object.metadata.name}`;
        expect(seen.has(id), id).toBe(false);
        seen.add(id);
      }
    }
  });

  it('describes the same twice', () => {
    const [first, second] = [tenantInputFixture(allAddons), tenantInputFixture(allAddons)];
    for (const component of tenantClusterComponents) {
      expect(JSON.stringify(component.desired(first))).toBe(JSON.stringify(component.desired(second)));
    }
  });

  it('holds no private key and nothing of the admin cluster', () => {
    const text = JSON.stringify(
      tenantClusterComponents.map((component) => component.desired(tenantInputFixture(allAddons))),
    );
    expect(text).not.toMatch(/key\b.*pem| key"|data store|etcd-0\.etcd|kamaji-system|team-a|10\.96\.178\.108/);
  });
});

it('tells joining nodes where the API is, also by name and by IPv6 address', () => {
  const at = (host: string): unknown =>
    fileOf(
      clusterInfo.desired(tenantInputFixture({}, { endpoint: { host, port: 6443, clusterIp: '10.96.0.5' } })),
      'ConfigMap',
      'kubeconfig',
    );
  expect(at('2001:db8::1')).toMatchObject({ clusters: [{ cluster: { server: 'https://[2001:db8::1]:6443' } }] });
  expect(at('t1.example.org')).toMatchObject({ clusters: [{ cluster: { server: 'https://t1.example.org:6443' } }] });
});

it('speaks the kubeadm API that the version knows', () => {
  const of = (version: string): unknown =>
    fileOf(kubeadmConfig.desired(tenantInputFixture({ kubernetes: { version } })), 'ConfigMap', 'ClusterConfiguration');
  expect(of('v1.36.3')).toMatchObject({ apiVersion: 'kubeadm.k8s.io/v1beta4', proxy: { disabled: true } });
  expect(of('v1.30.14')).toMatchObject({ apiVersion: 'kubeadm.k8s.io/v1beta3', kubernetesVersion: 'v1.30.14' });
  expect(Object.keys(of('v1.30.14') as object)).not.toEqual(expect.arrayContaining(['proxy', 'encryptionAlgorithm']));
});
