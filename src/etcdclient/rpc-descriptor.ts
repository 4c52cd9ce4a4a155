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
        KeyValue: {
          fields: {
            key: field('bytes', 1),
            createRevision: field('int64', 2),
            modRevision: field('int64', 3),
            version: field('int64', 4),
            value: field('bytes', 5),
          },
        },
        Event: {
          fields: { type: field('EventType', 1), kv: field('KeyValue', 2), prevKv: field('KeyValue', 3) },
          nested: { EventType: { values: { PUT: 0, DELETE: 1 } } },
        },
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
            Txn: method('TxnRequest', 'TxnResponse'),
            Compact: method('CompactionRequest', 'CompactionResponse'),
          },
        },
        Watch: {
          methods: {
            Watch: { ...method('WatchRequest', 'WatchResponse'), requestStream: true, responseStream: true },
          },
        },
        Maintenance: { methods: { Status: method('StatusRequest', 'StatusResponse') } },
        Auth: {
          methods: {
            AuthEnable: method('AuthEnableRequest', 'AuthEnableResponse'),
            AuthDisable: method('AuthDisableRequest', 'AuthDisableResponse'),
            Authenticate: method('AuthenticateRequest', 'AuthenticateResponse'),
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

        ResponseHeader: { fields: { revision: field('int64', 3) } },
        RangeRequest: {
          fields: {
            key: field('bytes', 1),
            rangeEnd: field('bytes', 2),
            limit: field('int64', 3),
            revision: field('int64', 4),
            keysOnly: field('bool', 8),
            countOnly: field('bool', 9),
          },
        },
        RangeResponse: {
          fields: {
            header: field('ResponseHeader', 1),
            kvs: list('mvccpb.KeyValue', 2),
            more: field('bool', 3),
            count: field('int64', 4),
          },
        },
        PutRequest: { fields: { key: field('bytes', 1), value: field('bytes', 2) } },
        PutResponse: empty,
        DeleteRangeRequest: { fields: { key: field('bytes', 1), rangeEnd: field('bytes', 2) } },
        DeleteRangeResponse: { fields: { deleted: field('int64', 2) } },

        Compare: {
          oneofs: { targetUnion: { oneof: ['version', 'createRevision', 'modRevision', 'value'] } },
          fields: {
            result: field('CompareResult', 1),
            target: field('CompareTarget', 2),
            key: field('bytes', 3),
            version: field('int64', 4),
            createRevision: field('int64', 5),
            modRevision: field('int64', 6),
            value: field('bytes', 7),
          },
          nested: {
            CompareResult: { values: { EQUAL: 0, GREATER: 1, LESS: 2, NOT_EQUAL: 3 } },
            CompareTarget: { values: { VERSION: 0, CREATE: 1, MOD: 2, VALUE: 3, LEASE: 4 } },
          },
        },
        RequestOp: {
          oneofs: { request: { oneof: ['requestRange', 'requestPut', 'requestDeleteRange'] } },
          fields: {
            requestRange: field('RangeRequest', 1),
            requestPut: field('PutRequest', 2),
            requestDeleteRange: field('DeleteRangeRequest', 3),
          },
        },
        ResponseOp: {
          oneofs: { response: { oneof: ['responseRange', 'responsePut', 'responseDeleteRange'] } },
          fields: {
            responseRange: field('RangeResponse', 1),
            responsePut: field('PutResponse', 2),
            responseDeleteRange: field('DeleteRangeResponse', 3),
          },
        },
        TxnRequest: {
          fields: { compare: list('Compare', 1), success: list('RequestOp', 2), failure: list('RequestOp', 3) },
        },
        TxnResponse: {
          fields: {
            header: field('ResponseHeader', 1),
            succeeded: field('bool', 2),
            responses: list('ResponseOp', 3),
          },
        },
        CompactionRequest: { fields: { revision: field('int64', 1), physical: field('bool', 2) } },
        CompactionResponse: { fields: { header: field('ResponseHeader', 1) } },

        WatchRequest: {
          oneofs: { requestUnion: { oneof: ['createRequest', 'progressRequest'] } },
          fields: {
            createRequest: field('WatchCreateRequest', 1),
            progressRequest: field('WatchProgressRequest', 3),
          },
        },
        WatchCreateRequest: {
          fields: {
            key: field('bytes', 1),
            rangeEnd: field('bytes', 2),
            startRevision: field('int64', 3),
            progressNotify: field('bool', 4),
            prevKv: field('bool', 6),
            fragment: field('bool', 8),
          },
        },
        WatchProgressRequest: empty,
        WatchResponse: {
          fields: {
            header: field('ResponseHeader', 1),
            watchId: field('int64', 2),
            created: field('bool', 3),
            canceled: field('bool', 4),
            compactRevision: field('int64', 5),
            cancelReason: field('string', 6),
            fragment: field('bool', 7),
            events: list('mvccpb.Event', 11),
          },
        },

        StatusRequest: empty,
        StatusResponse: {
          fields: { version: field('string', 2), leader: field('uint64', 4), errors: list('string', 8) },
        },

        AuthEnableRequest: empty,
        AuthEnableResponse: empty,
        AuthDisableRequest: empty,
        AuthDisableResponse: empty,
        AuthenticateRequest: { fields: { name: field('string', 1), password: field('string', 2) } },
        AuthenticateResponse: { fields: { token: field('string', 2) } },
        AuthStatusRequest: empty,
        AuthStatusResponse: { fields: { enabled: field('bool', 2) } },
        AuthUserAddRequest: {
          fields: {
            name: field('string', 1),
            password: field('string', 2),
            options: field('authpb.UserAddOptions', 3),
          },
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
