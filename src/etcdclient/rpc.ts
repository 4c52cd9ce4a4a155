import { fromJSON } from '@grpc/proto-loader';
import { etcdDescriptor } from './rpc-descriptor.ts';

/** Half open: [key, rangeEnd). */
export interface KeyRange {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
}

export interface Permission extends KeyRange {
  readonly permType: 'READ' | 'WRITE' | 'READWRITE';
}

type Empty = Readonly<Record<string, never>>;

export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

interface Header {
  readonly revision: number;
}

export interface RangeRequest {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
  readonly limit?: number;
  /** As of this revision; absent: the newest. */
  readonly revision?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

export interface RangeAnswer {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  /** Keys in the range, also those behind the limit. */
  readonly count: number;
}

export type Compare = { readonly key: Buffer; readonly result: 'EQUAL' } & (
  | { readonly target: 'VERSION'; readonly version: number }
  | { readonly target: 'MOD'; readonly modRevision: number }
  | { readonly target: 'VALUE'; readonly value: Buffer }
);

export type RequestOp =
  | { readonly requestRange: RangeRequest }
  | { readonly requestPut: { readonly key: Buffer; readonly value: Buffer } }
  | { readonly requestDeleteRange: { readonly key: Buffer } };

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export interface TxnAnswer {
  readonly header: Header;
  readonly succeeded: boolean;
  readonly responses: readonly { readonly responseRange?: RangeAnswer }[];
}

export type WatchRequest =
  | {
      readonly createRequest: KeyRange & {
        readonly startRevision: number;
        readonly progressNotify: boolean;
        readonly prevKv: boolean;
        readonly fragment: boolean;
      };
    }
  | { readonly progressRequest: Empty };

export interface WatchEvent {
  readonly type: 'PUT' | 'DELETE';
  readonly kv: KeyValue;
  readonly prevKv: KeyValue | null;
}

export interface WatchAnswer {
  readonly header: Header;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** More of the same revision follows. */
  readonly fragment: boolean;
  readonly events: readonly WatchEvent[];
}

/** Request and answer of every method used. Integers of 64 bits are numbers: counts and limits fit. */
export interface EtcdMethods {
  readonly 'KV.Range': { readonly request: RangeRequest; readonly answer: RangeAnswer };
  readonly 'KV.Put': { readonly request: { readonly key: Buffer; readonly value: Buffer }; readonly answer: Empty };
  readonly 'KV.DeleteRange': { readonly request: KeyRange; readonly answer: { readonly deleted: number } };
  readonly 'KV.Txn': { readonly request: TxnRequest; readonly answer: TxnAnswer };
  readonly 'KV.Compact': {
    readonly request: { readonly revision: number; readonly physical?: boolean };
    readonly answer: Empty;
  };
  readonly 'Watch.Watch': { readonly request: WatchRequest; readonly answer: WatchAnswer };
  readonly 'Auth.Authenticate': {
    readonly request: { readonly name: string; readonly password: string };
    readonly answer: { readonly token: string };
  };
  readonly 'Maintenance.Status': {
    readonly request: Empty;
    readonly answer: { readonly version: string; readonly leader: number; readonly errors: readonly string[] };
  };
  readonly 'Auth.AuthEnable': { readonly request: Empty; readonly answer: Empty };
  readonly 'Auth.AuthDisable': { readonly request: Empty; readonly answer: Empty };
  readonly 'Auth.AuthStatus': { readonly request: Empty; readonly answer: { readonly enabled: boolean } };
  readonly 'Auth.UserAdd': {
    readonly request: {
      readonly name: string;
      readonly password?: string;
      readonly options: { readonly noPassword: boolean };
    };
    readonly answer: Empty;
  };
  readonly 'Auth.UserGet': {
    readonly request: { readonly name: string };
    readonly answer: { readonly roles: readonly string[] };
  };
  readonly 'Auth.UserList': { readonly request: Empty; readonly answer: { readonly users: readonly string[] } };
  readonly 'Auth.UserDelete': { readonly request: { readonly name: string }; readonly answer: Empty };
  readonly 'Auth.UserGrantRole': {
    readonly request: { readonly user: string; readonly role: string };
    readonly answer: Empty;
  };
  readonly 'Auth.RoleAdd': { readonly request: { readonly name: string }; readonly answer: Empty };
  readonly 'Auth.RoleGet': {
    readonly request: { readonly role: string };
    readonly answer: { readonly perm: readonly Permission[] };
  };
  readonly 'Auth.RoleList': { readonly request: Empty; readonly answer: { readonly roles: readonly string[] } };
  readonly 'Auth.RoleDelete': { readonly request: { readonly role: string }; readonly answer: Empty };
  readonly 'Auth.RoleGrantPermission': {
    readonly request: { readonly name: string; readonly perm: Permission };
    readonly answer: Empty;
  };
  readonly 'Auth.RoleRevokePermission': {
    readonly request: KeyRange & { readonly role: string };
    readonly answer: Empty;
  };
}

export type EtcdMethod = keyof EtcdMethods;
export type EtcdRequest<M extends EtcdMethod> = EtcdMethods[M]['request'];
export type EtcdAnswer<M extends EtcdMethod> = EtcdMethods[M]['answer'];

export interface MethodCodec<M extends EtcdMethod> {
  /** `/etcdserverpb.KV/Range` */
  readonly path: string;
  readonly serialize: (request: EtcdRequest<M>) => Buffer;
  readonly deserialize: (bytes: Buffer) => EtcdAnswer<M>;
}

const services = fromJSON(etcdDescriptor, { longs: Number, enums: String, defaults: true });
const codecs = new Map<EtcdMethod, unknown>();

/** How a method travels. */
export function methodCodec<M extends EtcdMethod>(method: M): MethodCodec<M> {
  const known = codecs.get(method) ?? newCodec(method);
  codecs.set(method, known);
  return known as MethodCodec<M>;
}

function newCodec<M extends EtcdMethod>(method: M): MethodCodec<M> {
  const [serviceName = '', methodName = ''] = method.split('.');
  const service = services[`etcdserverpb.${serviceName}`];
  if (service === undefined || 'format' in service) throw new Error(`etcd has no service ${serviceName}`);
  const definition = service[methodName];
  if (definition === undefined) throw new Error(`etcd has no method ${method}`);
  return {
    path: definition.path,
    serialize: (request) => definition.requestSerialize(request),
    deserialize: (bytes) => definition.responseDeserialize(bytes) as EtcdAnswer<M>,
  };
}
