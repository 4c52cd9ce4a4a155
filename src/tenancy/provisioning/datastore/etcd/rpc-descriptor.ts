import type { fromJSON } from '@grpc/proto-loader';

/**
 * The part of etcd's gRPC interface that is used here, as a protobufjs descriptor, so that no .proto file has to be
 * found at run time. Field numbers are those of the public v3 API:
 * go.etcd.io/etcd/api/v3 v3.6.16, etcdserverpb/rpc.proto, mvccpb/kv.proto, authpb/auth.proto. Fields that nobody here
 * reads are left out; decoding skips them.
 */

const field = (type: string, id: number) => ({ type, id });
const list = (type: string, id: number) => ({ rule: 'repeated', type, id });
const empty = { fields: {} };
const method = (requestType: string, responseType: string) => ({ requestType, responseType, comment: '' });

export const etcdDescriptor: Parameters<typeof fromJSON>[0] = {
  nested: {
    mvccpb: {
      nested: {
        KeyValue: { fields: { key: field('bytes', 1), modRevision: field('int64', 3), value: field('bytes', 5) } },
      },
    },
    authpb: {
      nested: {
        UserAddOptions: { fields: { noPassword: field('bool', 1) } },
        PermissionType: { values: { READ: 0, WRITE: 1, READWRITE: 2 } },
        Permission: {
          fields: { permType: field('PermissionType', 1), key: field('bytes', 2), rangeEnd: field('bytes', 3) },
        },
      },
    },
    etcdserverpb: {
      nested: {
        KV: {
          methods: {
            Range: method('RangeRequest', 'RangeResponse'),
            Put: method('PutRequest', 'PutResponse'),
            DeleteRange: method('DeleteRangeRequest', 'DeleteRangeResponse'),
          },
        },
        Maintenance: { methods: { Status: method('StatusRequest', 'StatusResponse') } },
        Auth: {
          methods: {
            AuthEnable: method('AuthEnableRequest', 'AuthEnableResponse'),
            AuthDisable: method('AuthDisableRequest', 'AuthDisableResponse'),
            AuthStatus: method('AuthStatusRequest', 'AuthStatusResponse'),
            UserAdd: method('AuthUserAddRequest', 'AuthUserAddResponse'),
            UserGet: method('AuthUserGetRequest', 'AuthUserGetResponse'),
            UserList: method('AuthUserListRequest', 'AuthUserListResponse'),
            UserDelete: method('AuthUserDeleteRequest', 'AuthUserDeleteResponse'),
            UserGrantRole: method('AuthUserGrantRoleRequest', 'AuthUserGrantRoleResponse'),
            RoleAdd: method('AuthRoleAddRequest', 'AuthRoleAddResponse'),
            RoleGet: method('AuthRoleGetRequest', 'AuthRoleGetResponse'),
            RoleList: method('AuthRoleListRequest', 'AuthRoleListResponse'),
            RoleDelete: method('AuthRoleDeleteRequest', 'AuthRoleDeleteResponse'),
            RoleGrantPermission: method('AuthRoleGrantPermissionRequest', 'AuthRoleGrantPermissionResponse'),
            RoleRevokePermission: method('AuthRoleRevokePermissionRequest', 'AuthRoleRevokePermissionResponse'),
          },
        },

        RangeRequest: {
          fields: {
            key: field('bytes', 1),
            rangeEnd: field('bytes', 2),
            limit: field('int64', 3),
            keysOnly: field('bool', 8),
            countOnly: field('bool', 9),
          },
        },
        RangeResponse: {
          fields: { kvs: list('mvccpb.KeyValue', 2), more: field('bool', 3), count: field('int64', 4) },
        },
        PutRequest: { fields: { key: field('bytes', 1), value: field('bytes', 2) } },
        PutResponse: empty,
        DeleteRangeRequest: { fields: { key: field('bytes', 1), rangeEnd: field('bytes', 2) } },
        DeleteRangeResponse: { fields: { deleted: field('int64', 2) } },

        StatusRequest: empty,
        StatusResponse: {
          fields: { version: field('string', 2), leader: field('uint64', 4), errors: list('string', 8) },
        },

        AuthEnableRequest: empty,
        AuthEnableResponse: empty,
        AuthDisableRequest: empty,
        AuthDisableResponse: empty,
        AuthStatusRequest: empty,
        AuthStatusResponse: { fields: { enabled: field('bool', 2) } },
        AuthUserAddRequest: {
          fields: { name: field('string', 1), options: field('authpb.UserAddOptions', 3) },
        },
        AuthUserAddResponse: empty,
        AuthUserGetRequest: { fields: { name: field('string', 1) } },
        AuthUserGetResponse: { fields: { roles: list('string', 2) } },
        AuthUserListRequest: empty,
        AuthUserListResponse: { fields: { users: list('string', 2) } },
        AuthUserDeleteRequest: { fields: { name: field('string', 1) } },
        AuthUserDeleteResponse: empty,
        AuthUserGrantRoleRequest: { fields: { user: field('string', 1), role: field('string', 2) } },
        AuthUserGrantRoleResponse: empty,
        AuthRoleAddRequest: { fields: { name: field('string', 1) } },
        AuthRoleAddResponse: empty,
        AuthRoleGetRequest: { fields: { role: field('string', 1) } },
        AuthRoleGetResponse: { fields: { perm: list('authpb.Permission', 2) } },
        AuthRoleListRequest: empty,
        AuthRoleListResponse: { fields: { roles: list('string', 2) } },
        AuthRoleDeleteRequest: { fields: { role: field('string', 1) } },
        AuthRoleDeleteResponse: empty,
        AuthRoleGrantPermissionRequest: {
          fields: { name: field('string', 1), perm: field('authpb.Permission', 2) },
        },
        AuthRoleGrantPermissionResponse: empty,
        AuthRoleRevokePermissionRequest: {
          fields: { role: field('string', 1), key: field('bytes', 2), rangeEnd: field('bytes', 3) },
        },
        AuthRoleRevokePermissionResponse: empty,
      },
    },
  },
};
