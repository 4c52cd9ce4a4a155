/** The etcd driver against a real etcd with TLS and authentication. */
import {
  dataStoreConformance,
  type ConformanceServer,
  type TenantSession,
} from '../../src/tenancy/provisioning/datastore/conformance.ts';
import { EtcdConnection } from '../../src/tenancy/provisioning/datastore/etcd/connection.ts';
import { etcdDriver } from '../../src/tenancy/provisioning/datastore/etcd/driver.ts';
import type { Permission } from '../../src/etcdclient/rpc.ts';
import { startEtcd } from '../env/etcd.ts';

const EVERYTHING = { key: Buffer.of(0), rangeEnd: Buffer.of(0) };

dataStoreConformance(etcdDriver, { start: () => start(true), startOpen: () => start(false) });

async function start(auth: boolean): Promise<ConformanceServer> {
  const server = await startEtcd({ auth });
  const admin = new EtcdConnection(server.connection);

  const addUser = (name: string) => admin.call('Auth.UserAdd', { name, options: { noPassword: true } });
  const addRole = (name: string) => admin.call('Auth.RoleAdd', { name });
  const grantRole = (user: string, role: string) => admin.call('Auth.UserGrantRole', { user, role });
  const allow = (role: string, key: string, rangeEnd: string, permType: Permission['permType'] = 'READWRITE') =>
    admin.call('Auth.RoleGrantPermission', {
      name: role,
      perm: { key: Buffer.from(key), rangeEnd: Buffer.from(rangeEnd), permType },
    });

  const users = async () => (await admin.call('Auth.UserList', {})).users.filter((name) => name !== 'root');
  const roles = async () => (await admin.call('Auth.RoleList', {})).roles.filter((name) => name !== 'root');

  return {
    connection: server.connection,
    stop: () => server.stop(),
    start: () => server.start(),
    asTenant: async (identity) => tenantSession(await server.as(identity.username)),
    put: async (key, value) => {
      await admin.call('KV.Put', { key: Buffer.from(key), value: Buffer.from(value) });
    },
    inventory: async () => {
      const keys = (await admin.call('KV.Range', { ...EVERYTHING, keysOnly: true })).kvs;
      const roleNames = await roles();
      const permissions = await Promise.all(roleNames.map((role) => admin.call('Auth.RoleGet', { role })));
      const userNames = await users();
      const granted = await Promise.all(userNames.map((name) => admin.call('Auth.UserGet', { name })));
      return [
        ...userNames.map((name, index) => `user ${name}: ${granted[index]?.roles.join(',')}`),
        ...roleNames.map((name, index) => {
          const ranges = permissions[index]?.perm.map(
            (one) => `${one.permType} ${one.key.toString()}..${one.rangeEnd.toString()}`,
          );
          return `role ${name}: ${ranges?.join(',')}`;
        }),
        ...keys.map(({ key }) => `key ${key.toString()}`),
      ];
    },
    wipe: async () => {
      for (const name of await users()) await admin.call('Auth.UserDelete', { name });
      for (const role of await roles()) await admin.call('Auth.RoleDelete', { role });
      await admin.call('KV.DeleteRange', EVERYTHING);
    },
    damages: {
      'user only': async ({ username }) => {
        await addUser(username);
      },
      'role only': async ({ schema }) => {
        await addRole(schema);
      },
      'role with its range, no user': async ({ schema }) => {
        await addRole(schema);
        await allow(schema, `/${schema}/`, `/${schema}0`);
      },
      'user and role, not granted': async ({ schema, username }) => {
        await addUser(username);
        await addRole(schema);
        await allow(schema, `/${schema}/`, `/${schema}0`);
      },
      'all but the range': async ({ schema, username }) => {
        await addUser(username);
        await addRole(schema);
        await grantRole(username, schema);
      },
      'range for reading alone': async ({ schema, username }) => {
        await addUser(username);
        await addRole(schema);
        await allow(schema, `/${schema}/`, `/${schema}0`, 'READ');
        await grantRole(username, schema);
      },
      'range over the bare prefix, which reaches siblings': async ({ schema, username }) => {
        await addUser(username);
        await addRole(schema);
        await allow(schema, `/${schema}`, bareEnd(schema));
        await grantRole(username, schema);
      },
    },
    foreign: {
      'user with another role': async ({ username }) => {
        await addUser(username);
        await addRole('backup');
        await grantRole(username, 'backup');
      },
      'user who is an administrator': async ({ username }) => {
        await addUser(username);
        await grantRole(username, 'root');
      },
      'role over other keys': async ({ schema }) => {
        await addRole(schema);
        await allow(schema, '/other/', '/other0');
        await admin.call('KV.Put', { key: Buffer.from(`/${schema}/theirs`), value: Buffer.from('x') });
      },
      'role over everything': async ({ schema }) => {
        await addRole(schema);
        await allow(schema, '\0', '\0');
      },
    },
    remove: async () => {
      admin.close();
      await server.remove();
    },
  };
}

function bareEnd(schema: string): string {
  return `/${schema.slice(0, -1)}${String.fromCharCode(schema.charCodeAt(schema.length - 1) + 1)}`;
}

function tenantSession(etcd: EtcdConnection): TenantSession {
  return {
    put: async (key, value) => {
      await etcd.call('KV.Put', { key: Buffer.from(key), value: Buffer.from(value) });
    },
    keys: async (from, to) =>
      (await etcd.call('KV.Range', { key: Buffer.from(from), rangeEnd: Buffer.from(to) })).kvs.map(({ key }) =>
        key.toString(),
      ),
    close: () => etcd.close(),
  };
}
