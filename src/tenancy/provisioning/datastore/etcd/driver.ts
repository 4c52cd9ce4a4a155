import { closeWhenIdle } from '../close-when-idle.ts';
import { DataStoreError } from '../data-store-error.ts';
import type {
  DataStoreDriver,
  DataStoreHealth,
  DriverCallOptions,
  SupportedDriver,
  TenantIdentity,
} from '../driver.ts';
import { EtcdConnection } from './connection.ts';
import { ETCD, isEtcdAnswer } from '../../../../etcdclient/call-error.ts';
import { checkIdentity, isBarePrefixRange, sameKeyRange, tenantKeyRange } from './key-range.ts';
import type { EtcdAnswer, EtcdMethod, EtcdRequest, Permission } from '../../../../etcdclient/rpc.ts';

/** Keys removed by one request: etcd does nothing else meanwhile, for none of the tenants. */
const REMOVE_AT_ONCE = 1_000;
const ENSURE_ATTEMPTS = 5;
const AUTH_DISABLED =
  'authentication is not enabled in etcd, so that every tenant could read all others; run "etcdctl auth enable"';
/** What etcd says when somebody else took away what we were changing. */
const GONE = [ETCD.userNotFound, ETCD.roleNotFound, ETCD.permissionNotGranted];

/**
 * Tenants in etcd: a role named as the schema may read and write the range of `tenantKeyRange`, a user without password
 * has that role, and whoever shows a client certificate with the user's name as CN is the user.
 */
export const etcdDriver: SupportedDriver = {
  name: 'etcd',
  supported: true,
  capabilities: {
    tenantIsolation: { supported: true },
    clientCertificates: { supported: true },
    resourceOverrides: { supported: true },
  },
  open: (connection, options) => closeWhenIdle(new EtcdDriver(new EtcdConnection(connection, options))),
};

class EtcdDriver implements DataStoreDriver {
  readonly #etcd: EtcdConnection;

  constructor(etcd: EtcdConnection) {
    this.#etcd = etcd;
  }

  /**
   * Three round trips for a new tenant: look, add, grant. One for a tenant that is right; it writes nothing, because every
   * change of a user or role makes etcd refuse requests of running tenants that are just then under way.
   */
  async ensureTenant(
    identity: TenantIdentity,
    options: DriverCallOptions = {},
  ): Promise<{ readonly changed: boolean }> {
    checkIdentity(identity);
    let changed = false;
    for (let attempt = 1; attempt <= ENSURE_ATTEMPTS; attempt++) {
      const [found, auth] = await Promise.all([
        this.#look(identity, options),
        this.#etcd.call('Auth.AuthStatus', {}, options),
      ]);
      // Without it etcd asks nobody who he is, and the range would be open to all tenants.
      if (!auth.enabled) throw new DataStoreError('AuthenticationDisabled', AUTH_DISABLED);
      refuseForeign(identity, found);
      const range = tenantKeyRange(identity.schema);
      const granted = found.permissions ?? [];
      const surplus = granted.filter((permission) => !sameKeyRange(permission, range));
      const addUser = found.userRoles === undefined;
      const addRole = found.permissions === undefined;
      const grantRange = !granted.some((one) => sameKeyRange(one, range) && one.permType === 'READWRITE');
      const grantRole = !found.userRoles?.includes(identity.schema);
      if (!addUser && !addRole && !grantRange && !grantRole && surplus.length === 0) return { changed };
      changed = true;
      if (await this.#write(identity, { addUser, addRole, grantRange, grantRole, surplus }, options))
        return { changed };
    }
    throw new DataStoreError(
      'Unexpected',
      `user ${identity.username} and role ${identity.schema} in etcd keep being changed by somebody else`,
    );
  }

  async removeTenant(
    identity: TenantIdentity,
    options: DriverCallOptions = {},
  ): Promise<{ readonly removedKeys: number }> {
    checkIdentity(identity);
    const found = await this.#look(identity, options);
    // Access first: a kube-apiserver that still runs must not write keys after they were removed.
    if (found.userRoles !== undefined && foreignUser(identity, found) === undefined) {
      await this.#callUnless([ETCD.userNotFound], 'Auth.UserDelete', { name: identity.username }, options);
    }
    // The keys of somebody else who has this name in etcd were never the tenant's.
    if (foreignRole(identity, found) !== undefined) return { removedKeys: 0 };
    await this.#callUnless([ETCD.roleNotFound], 'Auth.RoleDelete', { role: identity.schema }, options);
    return { removedKeys: await this.#removeKeys(identity, options) };
  }

  async check(options: DriverCallOptions = {}): Promise<DataStoreHealth> {
    try {
      const [answers, auth] = await Promise.all([
        this.#etcd.callEach('Maintenance.Status', {}, options),
        this.#etcd.call('Auth.AuthStatus', {}, options),
      ]);
      return judge(this.#etcd.serverNames, answers, auth.enabled);
    } catch (error) {
      if (error instanceof DataStoreError) return { healthy: false, reason: error.code, message: error.message };
      throw error;
    }
  }

  async countKeys(identity: TenantIdentity, options: DriverCallOptions = {}): Promise<number> {
    checkIdentity(identity);
    const range = tenantKeyRange(identity.schema);
    return (await this.#etcd.call('KV.Range', { ...range, countOnly: true }, options)).count;
  }

  close(): void {
    this.#etcd.close();
  }

  async #look(identity: TenantIdentity, options: DriverCallOptions): Promise<Found> {
    const [user, role] = await Promise.all([
      this.#callUnless([ETCD.userNotFound], 'Auth.UserGet', { name: identity.username }, options),
      this.#callUnless([ETCD.roleNotFound], 'Auth.RoleGet', { role: identity.schema }, options),
    ]);
    return { userRoles: user?.roles, permissions: role?.perm };
  }

  /** Answers false when somebody else was faster: then look again. */
  async #write(identity: TenantIdentity, changes: Changes, options: DriverCallOptions): Promise<boolean> {
    const { schema, username } = identity;
    const added = await Promise.all([
      changes.addUser &&
        this.#callUnless([ETCD.userExists], 'Auth.UserAdd', { name: username, options: { noPassword: true } }, options),
      changes.addRole && this.#callUnless([ETCD.roleExists], 'Auth.RoleAdd', { name: schema }, options),
    ]);
    if (added.includes(undefined)) return false;
    // What the role may too much goes before anybody gets the role.
    const revoked = await Promise.all(
      changes.surplus.map(({ key, rangeEnd }) =>
        this.#callUnless(GONE, 'Auth.RoleRevokePermission', { role: schema, key, rangeEnd }, options),
      ),
    );
    const granted = await Promise.all([
      changes.grantRange &&
        this.#callUnless(
          GONE,
          'Auth.RoleGrantPermission',
          { name: schema, perm: { ...tenantKeyRange(schema), permType: 'READWRITE' } },
          options,
        ),
      changes.grantRole && this.#callUnless(GONE, 'Auth.UserGrantRole', { user: username, role: schema }, options),
    ]);
    return !revoked.includes(undefined) && !granted.includes(undefined);
  }

  async #removeKeys(identity: TenantIdentity, options: DriverCallOptions): Promise<number> {
    const range = tenantKeyRange(identity.schema);
    let removedKeys = 0;
    for (;;) {
      const page = await this.#etcd.call('KV.Range', { ...range, limit: REMOVE_AT_ONCE, keysOnly: true }, options);
      const last = page.kvs.at(-1);
      if (last === undefined) return removedKeys;
      const rangeEnd = Buffer.concat([last.key, Buffer.of(0)]);
      removedKeys += (await this.#etcd.call('KV.DeleteRange', { key: range.key, rangeEnd }, options)).deleted;
      if (!page.more) return removedKeys;
    }
  }

  /** Undefined when etcd gives one of the `expected` answers. */
  async #callUnless<M extends EtcdMethod>(
    expected: readonly string[],
    method: M,
    request: EtcdRequest<M>,
    options: DriverCallOptions,
  ): Promise<EtcdAnswer<M> | undefined> {
    try {
      return await this.#etcd.call(method, request, { ...options, expected });
    } catch (error) {
      if (isEtcdAnswer(error, ...expected)) return undefined;
      throw error;
    }
  }
}

interface Found {
  /** Undefined: there is no such user. */
  readonly userRoles: readonly string[] | undefined;
  /** Undefined: there is no such role. */
  readonly permissions: readonly Permission[] | undefined;
}

interface Changes {
  readonly addUser: boolean;
  readonly addRole: boolean;
  readonly grantRange: boolean;
  readonly grantRole: boolean;
  readonly surplus: readonly Permission[];
}

/** A user or role that is used for something else is not ours to change: the tenant needs another name. */
function refuseForeign(identity: TenantIdentity, found: Found): void {
  const reason = foreignUser(identity, found) ?? foreignRole(identity, found);
  if (reason !== undefined) throw new DataStoreError('IdentityConflict', reason);
}

/** Why the user of this name is not the tenant's; undefined when it is, or when there is none. */
function foreignUser({ schema, username }: TenantIdentity, { userRoles }: Found): string | undefined {
  const other = userRoles?.find((role) => role !== schema);
  return other === undefined
    ? undefined
    : `user ${JSON.stringify(username)} exists in etcd and has the role ${JSON.stringify(other)}, which is not this tenant's`;
}

function foreignRole({ schema }: TenantIdentity, { permissions }: Found): string | undefined {
  const range = tenantKeyRange(schema);
  const other = permissions?.some((one) => !sameKeyRange(one, range) && !isBarePrefixRange(one, schema));
  return other
    ? `role ${JSON.stringify(schema)} exists in etcd and reaches keys outside of ${JSON.stringify(`/${schema}/`)}`
    : undefined;
}

function judge(
  serverNames: readonly string[],
  answers: readonly (EtcdAnswer<'Maintenance.Status'> | DataStoreError)[],
  authEnabled: boolean,
): DataStoreHealth {
  if (!authEnabled) {
    return { healthy: false, reason: 'AuthenticationDisabled', message: AUTH_DISABLED };
  }
  const alarms = new Set(answers.flatMap((answer) => (answer instanceof DataStoreError ? [] : answer.errors)));
  const noSpace = [...alarms].find((alarm) => alarm.includes('NOSPACE'));
  if (noSpace !== undefined) {
    return {
      healthy: false,
      reason: 'OutOfSpace',
      message: 'etcd has reached its space quota and takes no writes (alarm NOSPACE)',
    };
  }
  const silent = answers.filter((answer) => answer instanceof DataStoreError);
  const [version = ''] = answers.flatMap((answer) => (answer instanceof DataStoreError ? [] : [answer.version]));
  const notes = [
    `etcd ${version} answers on ${serverNames.length - silent.length} of ${serverNames.length} endpoints`,
    ...silent.map((error) => error.message),
    ...[...alarms].map((alarm) => `it reports: ${alarm}`),
  ];
  return { healthy: true, reason: 'Healthy', message: notes.join('; ') };
}
