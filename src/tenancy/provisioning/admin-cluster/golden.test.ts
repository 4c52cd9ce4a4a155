import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expectGolden } from '../../../../test/env/golden.ts';
import { tenantInputFixture } from '../../../../test/env/tenant.ts';
import { adminClusterComponents } from './all.ts';
import { deploymentComponent } from './deployment.ts';
import { serviceComponent } from './service.ts';

const golden = (name: string) => new URL(`golden/${name}.yaml`, import.meta.url);

describe('a tenant with the smallest spec', () => {
  it.each(adminClusterComponents)('$name', async (component) => {
    await expectGolden(component.desired(tenantInputFixture()), golden(component.name));
  });
});

describe('other tenants', () => {
  it('everything that the spec of the Deployment offers', async () => {
    const probe = { periodSeconds: 7 };
    const input = tenantInputFixture({
      controlPlane: {
        deployment: {
          replicas: 3,
          registrySettings: { registry: 'registry.example/k8s', schedulerImage: 'sched', tagSuffix: '-eks-1' },
          nodeSelector: { pool: 'tenants' },
          runtimeClassName: 'gvisor',
          strategy: { type: 'Recreate' },
          tolerations: [{ key: 'tenants', operator: 'Exists' }],
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [] }] },
            },
          },
          topologySpreadConstraints: [
            { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
            {
              maxSkew: 1,
              topologyKey: 'host',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: { a: 'b' } },
            },
          ],
          resources: {
            apiServer: { requests: { cpu: '250m' } },
            controllerManager: { requests: { cpu: '125m' } },
            scheduler: { limits: { memory: '128Mi' } },
          },
          extraArgs: {
            apiServer: [
              '--feature-gates=A=true',
              '--secure-port=1',
              '--feature-gates=B=true',
              '--authorization-config=/x/authz.yaml',
            ],
            controllerManager: ['--controllers=*', '--node-cidr-mask-size-ipv6=80'],
            scheduler: ['--v=4', '--leader-elect=false'],
          },
          additionalMetadata: { labels: { team: 'a', 'kamaji.io/name': 'other' }, annotations: { note: 'x' } },
          podAdditionalMetadata: {
            labels: { team: 'a', 'kamaji.io/name': 'other' },
            annotations: { note: 'y', 'storage.kamaji.io/config': 'fixed' },
          },
          additionalInitContainers: [{ name: 'init', image: 'init:1' }],
          additionalContainers: [{ name: 'kms', image: 'kms:1' }],
          additionalVolumes: [{ name: 'audit', emptyDir: {} }],
          additionalVolumeMounts: {
            apiServer: [{ name: 'audit', mountPath: '/var/log/audit' }],
            controllerManager: [{ name: 'audit', mountPath: '/var/log/cm' }],
            scheduler: [{ name: 'audit', mountPath: '/var/log/s' }],
          },
          probes: {
            liveness: probe,
            startup: { failureThreshold: 30, periodSeconds: 2 },
            apiServer: { startup: { periodSeconds: 3 } },
            scheduler: { readiness: probe },
          },
          serviceAccountName: 'tenants',
          automountServiceAccountToken: true,
          containerSecurityContexts: { apiServer: { runAsUser: 1000 }, scheduler: { privileged: true } },
          podSecurityContext: { supplementalGroups: [7], fsGroup: 8 },
        },
      },
      kubernetes: {
        version: '1.35.4',
        admissionControllers: ['NodeRestriction', 'AlwaysPullImages'],
        kubelet: { preferredAddressTypes: ['Hostname'] },
      },
      networkProfile: {
        port: 7443,
        advertiseAddress: '192.0.2.99',
        clusterDomain: 'tenant.example',
        serviceCidrs: ['10.97.0.0/16', 'fd00:97::/112'],
        podCidrs: ['10.245.0.0/16', 'fd00:245::/56'],
      },
      addons: {
        konnectivity: {
          server: {
            port: 9132,
            image: 'registry.example/proxy-server',
            version: 'v0.34.0',
            resources: { requests: { cpu: '10m' } },
            extraArgs: ['--mode=http-connect', '-v=2'],
          },
        },
      },
    });
    await expectGolden(deploymentComponent.desired(input), golden('deployment-all-options'));
  });

  it('no konnectivity: neither container nor volume nor flag nor port nor object', async () => {
    const input = tenantInputFixture({ addons: { konnectivity: { enabled: false } } });
    const text = JSON.stringify(adminClusterComponents.flatMap((component) => component.desired(input)));
    expect(text.replaceAll('default-container', '')).not.toMatch(/konnectivity|egress/);
    await expectGolden(deploymentComponent.desired(input), golden('deployment-without-konnectivity'));
  });

  it.each([
    [
      'service-node-port',
      {
        controlPlane: { service: { serviceType: 'NodePort' } },
        networkProfile: { port: 31443 },
        addons: { konnectivity: { server: { port: 31132 } } },
      },
    ],
    [
      'service-load-balancer',
      {
        controlPlane: {
          service: {
            serviceType: 'LoadBalancer',
            additionalMetadata: { labels: { a: 'b' }, annotations: { 'lb/type': 'internal' } },
            additionalPorts: [
              { name: 'metrics', port: 9000, targetPort: 'metrics' },
              { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP', appProtocol: 'dns' },
            ],
          },
        },
        networkProfile: {
          address: '192.0.2.10',
          allowAddressAsExternalIP: true,
          loadBalancerClass: 'lb.example/x',
          loadBalancerSourceRanges: ['198.51.100.0/24'],
        },
      },
    ],
    [
      'service-load-balancer-without-node-ports',
      { controlPlane: { service: { serviceType: 'LoadBalancer', allocateLoadBalancerNodePorts: false } } },
    ],
  ])('%s', async (name, spec) => {
    await expectGolden(serviceComponent.desired(tenantInputFixture(spec)), golden(name));
  });
});

it('every component is in the table', () => {
  const folder = new URL('.', import.meta.url);
  const declared = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) =>
      [...readFileSync(new URL(file, folder), 'utf8').matchAll(/^export const (\w+Component): Component/gm)].map(
        ([, name]) => name,
      ),
    );
  const tables = readFileSync(new URL('all.ts', folder), 'utf8').split('= [').slice(1).join('');
  expect(declared.length).toBe(adminClusterComponents.length);
  for (const name of declared) expect(tables).toContain(name);
});
