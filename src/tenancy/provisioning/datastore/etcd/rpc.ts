import { fromJSON } from '@grpc/proto-loader';
import type { KeyRange } from './key-range.ts';
import { etcdDescriptor } from './rpc-descriptor.ts';

export interface Permission extends KeyRange {
  readonly permType: 'READ' | 'WRITE' | 'READWRITE';
}

type Empty = Readonly<Record<string, never>>;

/** Request and answer of every method used. Integers of 64 bits are numbers: counts and limits fit. */
export interface EtcdMethods {
  readonly 'KV.Range': {
    readonly request: {
      readonly key: Buffer;
      readonly rangeEnd?: Buffer;
      readonly limit?: number;
      readonly keysOnly?: boolean;
      readonly countOnly?: boolean;
    };
    readonly answer: {
      readonly kvs: readonly { readonly key: Buffer; readonly value: Buffer }[];
      readonly more: boolean;
      readonly count: number;
    };
  };
  readonly 'KV.Put': { readonly request: { readonly key: Buffer; readonly value: Buffer }; readonly answer: Empty };
  readonly 'KV.DeleteRange': { readonly request: KeyRange; readonly answer: { readonly deleted: number } };
  readonly 'Maintenance.Status': {
    readonly request: Empty;
    readonly answer: { readonly version: string; readonly leader: number; readonly errors: readonly string[] };
  };
  readonly 'Auth.AuthEnable': { readonly request: Empty; readonly answer: Empty };
  readonly 'Auth.AuthDisable': { readonly request: Empty; readonly answer: Empty };
  readonly 'Auth.AuthStatus': { readonly request: Empty; readonly answer: { readonly enabled: boolean } };
  readonly 'Auth.UserAdd': {
    readonly request: { readonly name: string; readonly options: { readonly noPassword: boolean } };
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

/** How a method travels. */
export function methodCodec<M extends EtcdMethod>(method: M): MethodCodec<M> {
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
