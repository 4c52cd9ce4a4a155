import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../apimachinery/object.ts';
import { apiServerContainer } from '../../provisioning/admin-cluster/api-server.ts';
import { schedulerContainer } from '../../provisioning/admin-cluster/scheduler.ts';
import type { TenantInput } from '../../provisioning/tenant-input.ts';
import { deployment, network, tenant } from './tenant-sample.ts';
import { tenantWarnings } from './warnings.ts';

const args = 'spec.controlPlane.deployment.extraArgs';

// prettier-ignore
const cases: readonly (readonly [JsonObject, readonly string[]])[] = [
  [{}, []],
  [deployment({ extraArgs: { apiServer: ['--v=4', '--audit-log-path=-'], scheduler: ['--v=4'], controllerManager: ['--node-cidr-mask-size=25'] } }), []],
  [deployment({ extraArgs: { apiServer: ['--v=4', '--etcd-prefix=/other'] } }), [`${args}.apiServer[1]: --etcd-prefix is set by Kamaji and will be ignored`]],
  [deployment({ extraArgs: { apiServer: ['--secure_port', '443'] } }), [`${args}.apiServer[0]: --secure-port is set by Kamaji and will be ignored`]],
  [deployment({ extraArgs: { scheduler: ['--leader-elect=false'] } }), [`${args}.scheduler[0]: --leader-elect is set by Kamaji and will be ignored`]],
  [deployment({ extraArgs: { controllerManager: ['--cluster-cidr=10.0.0.0/8'] } }), [`${args}.controllerManager[0]: --cluster-cidr replaces Kamaji's own value, which the tenant needs`]],
  [network({ serviceCidr: '10.1.0.0/16', serviceCidrs: ['10.2.0.0/16'] }), ['spec.networkProfile.serviceCidr is ignored because serviceCidrs is set']],
  [network({ serviceCidr: '10.96.0.250/16' }), ['spec.networkProfile: 10.96.0.250/16 means the network 10.96.0.0/16']],
  [network({ podCidrs: ['10.1.0.0/16', 'fd00::1/56'] }), ['spec.networkProfile: fd00::1/56 means the network fd00::/56']],
  [network({ podCidrs: ['FD00:0::/56'] }), []],
  [{ kubernetes: { kubelet: { cgroupfs: 'systemd' } } }, ['spec.kubernetes.kubelet.cgroupfs is deprecated: use configurationJSONPatches on /cgroupDriver']],
  [{ writePermissions: { blockCreation: false, blockDeletion: true } }, ['spec.writePermissions.blockDeletion is stored, but this version does not act on it yet']],
  [{ dataStoreOverrides: [{ resource: '/events', dataStore: 'b' }] }, ['spec.dataStoreOverrides is stored, but this version does not act on it yet']],
  [{ kubernetes: { admissionControllers: ['AlwaysAdmit'] } }, ['spec.kubernetes.admissionControllers: AlwaysAdmit is deprecated and has no real meaning']],
];

test.each(cases)('%j', (spec, expected) => expect(tenantWarnings(tenant(spec))).toEqual(expected));

describe.each([
  ['apiServer', apiServerContainer],
  ['scheduler', schedulerContainer],
] as const)('flags of %s', (component, container) => {
  const rendered = (extra: readonly string[]) => {
    const object = tenant(deployment({ extraArgs: { [component]: extra } }));
    const endpoint = { host: '192.0.2.1', port: 6443, clusterIp: '10.0.0.1' };
    const storage = { dataStoreName: 'a', driver: 'etcd', endpoints: ['etcd:2379'], schema: 's', username: 'u' };
    return { object, args: container({ tenant: object, endpoint, storage } as unknown as TenantInput).args ?? [] };
  };
  const flags = rendered([]).args.map((arg) => arg.slice(0, arg.indexOf('=')));

  test('are ours to begin with', () => expect(flags.length).toBeGreaterThan(4));

  test.each(flags)('%s is warned about if and only if it is dropped', (flag) => {
    const { object, args: rendering } = rendered([`${flag}=of-the-user`]);
    expect(tenantWarnings(object)).toHaveLength(rendering.includes(`${flag}=of-the-user`) ? 0 : 1);
  });
});
