import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { expectGolden } from '../../../../test/env/golden.ts';
import { tenantInputFixture } from '../../../../test/env/tenant.ts';
import type { KubeObject } from '../../../apimachinery/object.ts';
import { NEWEST_SUPPORTED_MINOR, OLDEST_SUPPORTED_MINOR } from '../../api/supported-versions.ts';
import type { TenantInput } from '../tenant-input.ts';
import { addonComponents } from './all.ts';
import { coreDns } from './coredns.ts';
import { konnectivityAgent } from './konnectivity-agent.ts';
import { kubeProxy } from './kube-proxy.ts';
import { coreDnsMinors, coreDnsTag } from './versions.ts';

const golden = (name: string): URL => new URL(`golden/${name}.yaml`, import.meta.url);
const VARIANTS = ['coredns-dual-stack', 'konnectivity-agent-deployment'];
const all = (addons: object = {}): object => ({ addons: { coreDNS: {}, kubeProxy: {}, ...addons } });

/** The first container of the only workload among the objects. */
function container(objects: readonly KubeObject[]): { readonly image: string; readonly args: readonly string[] } {
  const workload = objects.find((object) => object.kind === 'Deployment' || object.kind === 'DaemonSet') as unknown as {
    spec: { template: { spec: { containers: { image: string; args: string[] }[] } } };
  };
  return workload.spec.template.spec.containers[0]!;
}

const services = (input: TenantInput) =>
  coreDns
    .desired(input)
    .filter((object) => object.kind === 'Service')
    .map((object) => ({
      name: object.metadata.name,
      addresses: (object as unknown as { spec: { clusterIPs: readonly string[] } }).spec.clusterIPs,
    }));

describe('golden files', () => {
  it.each(addonComponents)('$name', async (component) => {
    await expectGolden(component.desired(tenantInputFixture(all())), golden(component.name));
  });

  it('coredns in two IP families and another domain', async () => {
    const input = tenantInputFixture({
      ...all({ coreDNS: { imageRepository: 'mirror.example/dns/', imageTag: 'v1.2.3' } }),
      networkProfile: {
        clusterDomain: 'tenant.example.org',
        serviceCidrs: ['10.97.0.0/16', 'fd00:10:97::/112'],
      },
    });
    await expectGolden(coreDns.desired(input), golden('coredns-dual-stack'));
  });

  it('konnectivity-agent as a Deployment, reached by name', async () => {
    const input = tenantInputFixture(
      all({
        konnectivity: {
          server: { port: 9132 },
          agent: {
            mode: 'Deployment',
            replicas: 3,
            hostNetwork: true,
            image: 'mirror.example/agent',
            version: 'v0.99.1',
            tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' }],
            extraArgs: ['-v=6', '--keepalive-time=30s', '--proxy-server-host=tunnel.example.org'],
          },
        },
      }),
      { endpoint: { host: 't1.example.org', port: 6443, clusterIp: '10.96.0.5' } },
    );
    await expectGolden(konnectivityAgent.desired(input), golden('konnectivity-agent-deployment'));
  });

  it('are all asked for', () => {
    const files = readdirSync(new URL('golden', import.meta.url)).map((name) => name.replace('.yaml', ''));
    expect(files.sort()).toEqual([...addonComponents.map((component) => component.name), ...VARIANTS].sort());
  });
});

it('has every add-on in the table', () => {
  const files = readdirSync(new URL('.', import.meta.url)).filter((name) => /^[a-z-]+\.ts$/.test(name));
  const others = new Set(['all.ts', 'enabled.ts', 'image.ts', 'versions.ts']);
  expect(addonComponents.map((component) => `${component.name}.ts`).sort()).toEqual(
    files.filter((name) => !others.has(name)).sort(),
  );
});

describe('what is on', () => {
  const names = (addons: object): readonly string[] =>
    addonComponents
      .filter((component) => component.desired(tenantInputFixture({ addons })).length > 0)
      .map((component) => component.name);

  it('is told by presence, and by enabled', () => {
    expect(names({})).toEqual(['konnectivity-agent']);
    expect(names({ coreDNS: {}, kubeProxy: {} })).toEqual(['kube-proxy', 'coredns', 'konnectivity-agent']);
    expect(names({ coreDNS: { enabled: false }, kubeProxy: { enabled: false } })).toEqual(['konnectivity-agent']);
    expect(names({ konnectivity: { enabled: false } })).toEqual([]);
  });
});

describe('images', () => {
  it.each([
    [{}, 'registry.k8s.io/coredns/coredns:v1.14.2', 'registry.k8s.io/kube-proxy:v1.36.1'],
    [{ imageTag: 'x' }, 'registry.k8s.io/coredns/coredns:x', 'registry.k8s.io/kube-proxy:x'],
    [{ imageRepository: 'r.io/p' }, 'r.io/p/coredns:v1.14.2', 'r.io/p/kube-proxy:v1.36.1'],
    [{ imageRepository: 'r.io/p', imageTag: 'x' }, 'r.io/p/coredns:x', 'r.io/p/kube-proxy:x'],
    [
      { imageRepository: '', imageTag: '' },
      'registry.k8s.io/coredns/coredns:v1.14.2',
      'registry.k8s.io/kube-proxy:v1.36.1',
    ],
    [
      { imageRepository: 'registry.k8s.io' },
      'registry.k8s.io/coredns/coredns:v1.14.2',
      'registry.k8s.io/kube-proxy:v1.36.1',
    ],
  ])('honours %j', (override, coreDnsImage, kubeProxyImage) => {
    const input = tenantInputFixture({ addons: { coreDNS: override, kubeProxy: override } });
    expect(container(coreDns.desired(input)).image).toBe(coreDnsImage);
    expect(container(kubeProxy.desired(input)).image).toBe(kubeProxyImage);
  });

  it('knows the CoreDNS of every supported minor', () => {
    const minors = Array.from(
      { length: NEWEST_SUPPORTED_MINOR - OLDEST_SUPPORTED_MINOR + 1 },
      (_, index) => OLDEST_SUPPORTED_MINOR + index,
    );
    expect(coreDnsMinors).toEqual(minors);
    expect(coreDnsTag(34)).toBe('v1.12.1');
    expect(coreDnsTag(99)).toBe(coreDnsTag(NEWEST_SUPPORTED_MINOR));
    expect(coreDnsTag(1)).toBe(coreDnsTag(OLDEST_SUPPORTED_MINOR));
  });
});

describe('cluster DNS', () => {
  const withDns = (...dnsServiceIPs: string[]): TenantInput =>
    tenantInputFixture({ addons: { coreDNS: {} }, networkProfile: { dnsServiceIPs } });

  it('answers on every address that kubelets are told', () => {
    expect(services(withDns('10.96.0.11'))).toEqual([{ name: 'kube-dns', addresses: ['10.96.0.11'] }]);
    expect(services(withDns('fd00::a', '10.96.0.11', '10.96.0.12', 'fd00::b', '10.96.0.11'))).toEqual([
      { name: 'kube-dns', addresses: ['fd00::a', '10.96.0.11'] },
      { name: 'kube-dns-0a60000c', addresses: ['10.96.0.12'] },
      { name: 'kube-dns-fd00000000000000000000000000000b', addresses: ['fd00::b'] },
    ]);
  });
});

describe('kube-proxy', () => {
  const file = (input: TenantInput, key: string): unknown => {
    const map = kubeProxy.desired(input).find((object) => object.kind === 'ConfigMap') as unknown as {
      data: Readonly<Record<string, string>>;
    };
    return parse(map.data[key] ?? '', { version: '1.1' });
  };
  const annotations = (input: TenantInput): unknown =>
    (
      kubeProxy.desired(input).find((object) => object.kind === 'DaemonSet') as unknown as {
        spec: { template: { metadata: { annotations: unknown } } };
      }
    ).spec.template.metadata.annotations;

  it('knows the pods of both families and rolls when its configuration changes', () => {
    const single = tenantInputFixture({ addons: { kubeProxy: {} } });
    const dual = tenantInputFixture({
      addons: { kubeProxy: {} },
      networkProfile: { podCidrs: ['fd00:1::/56', '10.9.0.0/16'] },
    });
    expect(file(single, 'config.conf')).toMatchObject({ clusterCIDR: '10.244.0.0/16', bindAddress: '0.0.0.0' });
    expect(file(dual, 'config.conf')).toMatchObject({ clusterCIDR: 'fd00:1::/56,10.9.0.0/16', bindAddress: '::' });
    expect(annotations(dual)).not.toEqual(annotations(single));
    expect(annotations(single)).toEqual(annotations(tenantInputFixture({ addons: { kubeProxy: {} } })));
  });
});

describe('konnectivity agent', () => {
  it('lets extra arguments replace ours, whatever their dashes', () => {
    const input = tenantInputFixture({
      addons: { konnectivity: { agent: { extraArgs: ['-v=6', '--sync-forever'] } } },
    });
    const { args } = container(konnectivityAgent.desired(input));
    expect(args.filter((arg) => /^--?v=/.test(arg))).toEqual(['-v=6']);
    expect(args).toContain('--sync-forever');
    expect(args).toContain('--proxy-server-host=192.0.2.10');
  });
});
