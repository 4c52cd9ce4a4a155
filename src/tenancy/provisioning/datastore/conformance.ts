import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DataStoreError } from './data-store-error.ts';
import type {
  Capability,
  DataStoreConnection,
  DataStoreDriver,
  DriverCapabilities,
  TenantIdentity,
  SupportedDriver,
} from './driver.ts';

/** A tenant's own way into the store, with its own credentials and nothing of ours. */
export interface TenantSession {
  /** Throws when it may not. */
  put(key: string, value: string): Promise<void>;
  /** Keys from `from` up to, not including, `to`. Throws when it may not. */
  keys(from: string, to: string): Promise<readonly string[]>;
  close(): void;
}

/** A real server, and hands to put it into every state that a driver must cope with. */
export interface ConformanceServer {
  readonly connection: DataStoreConnection;
  asTenant(identity: TenantIdentity): Promise<TenantSession>;
  /** Writes as the administrator. */
  put(key: string, value: string): Promise<void>;
  /** Users, roles and keys (`key <name>`): all that is in the store, the administrator's own left out. */
  inventory(): Promise<readonly string[]>;
  /** Removes all that `inventory` lists. */
  wipe(): Promise<void>;
  /** States that a tenant can be left in when somebody dies half way, by name. */
  readonly damages: Readonly<Record<string, (identity: TenantIdentity) => Promise<void>>>;
  /** States in which user or role are somebody else's, by name. */
  readonly foreign: Readonly<Record<string, (identity: TenantIdentity) => Promise<void>>>;
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

export interface ConformanceOptions {
  start(): Promise<ConformanceServer>;
  /** The same server that asks nobody who he is. */
  startOpen(): Promise<ConformanceServer>;
}

const a: TenantIdentity = { schema: 'a', username: 'user-a' };
const aa: TenantIdentity = { schema: 'aa', username: 'user-aa' };

/** What every DataStore driver must do, against the real server. */
export function dataStoreConformance(definition: SupportedDriver, options: ConformanceOptions): void {
  let server: ConformanceServer;
  let driver: DataStoreDriver;
  const { capabilities } = definition;

  /** Runs the test only for drivers that can; the others say why not in its name. */
  const itIf = (name: keyof DriverCapabilities, title: string, test: () => Promise<void>): void => {
    const capability: Capability = capabilities[name];
    if (capability.supported) it(title, test);
    else it.skip(`${title} (${definition.name}: ${capability.reason})`, test);
  };

  const codeOf = async (action: Promise<unknown>): Promise<string> => {
    const error: unknown = await action.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DataStoreError);
    return (error as DataStoreError).code;
  };

  describe(`DataStore driver ${definition.name}`, () => {
    beforeAll(async () => {
      server = await options.start();
      driver = definition.open(server.connection);
    });
    beforeEach(async () => {
      await server.wipe();
      expect(await server.inventory()).toEqual([]);
    });
    afterAll(async () => {
      driver?.close();
      await server?.remove();
    });

    it('sets a tenant up so that it can work', async () => {
      expect(await driver.ensureTenant(a)).toEqual({ changed: true });
      const tenant = await server.asTenant(a);
      await tenant.put('/a/pods/one', 'x');
      expect(await tenant.keys('/a/', '/a0')).toEqual(['/a/pods/one']);
      expect(await driver.countKeys(a)).toBe(1);
      tenant.close();
    });

    it('changes nothing that is right already', async () => {
      await driver.ensureTenant(a);
      const before = await server.inventory();
      expect(await driver.ensureTenant(a)).toEqual({ changed: false });
      expect(await server.inventory()).toEqual(before);
    });

    it('copes with itself at the same time', async () => {
      await Promise.all(Array.from({ length: 10 }, () => driver.ensureTenant(a)));
      expect(await driver.ensureTenant(a)).toEqual({ changed: false });
    });

    it('leaves nothing behind, and removes twice without complaint', async () => {
      await driver.ensureTenant(a);
      await server.put('/a/one', 'x');
      await server.put('/a/two', 'x');
      expect(await driver.removeTenant(a)).toEqual({ removedKeys: 2 });
      expect(await server.inventory()).toEqual([]);
      expect(await driver.removeTenant(a)).toEqual({ removedKeys: 0 });
    });

    it('removes more keys than it takes at once', async () => {
      await driver.ensureTenant(a);
      const numbers = Array.from({ length: 2_345 }, (_, index) => index);
      for (let at = 0; at < numbers.length; at += 500) {
        await Promise.all(numbers.slice(at, at + 500).map((number) => server.put(`/a/${number}`, 'x')));
      }
      expect(await driver.removeTenant(a)).toEqual({ removedKeys: 2_345 });
      expect(await server.inventory()).toEqual([]);
    });

    it('removes nothing of a neighbour whose name begins alike, nor of keys around', async () => {
      await driver.ensureTenant(a);
      await driver.ensureTenant(aa);
      const others = ['/a', '/a-b/x', '/a.b/x', '/a0', '/a0/x', '/aa/x', 'a/x'];
      for (const key of [...others, '/a/x']) await server.put(key, 'x');
      expect(await driver.countKeys(a)).toBe(1);
      expect(await driver.removeTenant(a)).toEqual({ removedKeys: 1 });
      expect(await server.inventory()).toEqual(expect.arrayContaining(others.map((key) => `key ${key}`)));
      const neighbour = await server.asTenant(aa);
      expect(await neighbour.keys('/aa/', '/aa0')).toEqual(['/aa/x']);
      neighbour.close();
    });

    it('takes the access away from whoever is connected', async () => {
      await driver.ensureTenant(a);
      const tenant = await server.asTenant(a);
      await tenant.put('/a/one', 'x');
      await driver.removeTenant(a);
      await expect(tenant.put('/a/two', 'x')).rejects.toThrow();
      tenant.close();
    });

    itIf('tenantIsolation', 'keeps tenants apart whose names begin alike', async () => {
      await driver.ensureTenant(a);
      await driver.ensureTenant(aa);
      const [first, second] = [await server.asTenant(a), await server.asTenant(aa)];
      await first.put('/a/secrets/x', 'x');
      await second.put('/aa/secrets/x', 'x');
      for (const [session, own, other] of [
        [first, 'a', 'aa'],
        [second, 'aa', 'a'],
      ] as const) {
        expect(await session.keys(`/${own}/`, `/${own}0`)).toEqual([`/${own}/secrets/x`]);
        await expect(session.keys(`/${other}/`, `/${other}0`)).rejects.toThrow();
        await expect(session.keys(`/${other}/secrets/x`, `/${other}/secrets/y`)).rejects.toThrow();
        await expect(session.keys('/', '0')).rejects.toThrow();
        await expect(session.keys(`/${own}`, `/${own}0`)).rejects.toThrow();
        await expect(session.keys(`/${own}/`, `/${own}1`)).rejects.toThrow();
        await expect(session.put(`/${other}/secrets/y`, 'y')).rejects.toThrow();
        await expect(session.put('/elsewhere', 'y')).rejects.toThrow();
        session.close();
      }
    });

    it('heals every half-made state', async () => {
      expect(Object.keys(server.damages).length).toBeGreaterThan(0);
      for (const [name, damage] of Object.entries(server.damages)) {
        await driver.removeTenant(a);
        await damage(a);
        expect(await driver.ensureTenant(a), name).toEqual({ changed: true });
        expect(await driver.ensureTenant(a), name).toEqual({ changed: false });
        const tenant = await server.asTenant(a);
        await tenant.put('/a/x', name);
        await expect(tenant.keys('/aa/', '/aa0'), name).rejects.toThrow();
        tenant.close();
      }
    });

    it('removes every half-made state', async () => {
      for (const [name, damage] of Object.entries(server.damages)) {
        await damage(a);
        await driver.removeTenant(a);
        expect(await server.inventory(), name).toEqual([]);
      }
    });

    it("refuses what is somebody else's and leaves it alone", async () => {
      expect(Object.keys(server.foreign).length).toBeGreaterThan(0);
      for (const [name, make] of Object.entries(server.foreign)) {
        await server.wipe();
        await make(a);
        const before = await server.inventory();
        expect(await codeOf(driver.ensureTenant(a)), name).toBe('IdentityConflict');
        expect(await server.inventory(), name).toEqual(before);
        expect(await driver.removeTenant(a), name).toEqual({ removedKeys: 0 });
        expect(await server.inventory(), name).toEqual(before);
      }
    });

    it.each(['', 'a/b', '/a', 'root', 'a b', 'a\0', 'ä', '.a', 'x'.repeat(254)])(
      'refuses %j as schema and as user name before it asks the store',
      async (name) => {
        expect(await codeOf(driver.ensureTenant({ schema: name, username: 'fine' }))).toBe('IdentityInvalid');
        expect(await codeOf(driver.ensureTenant({ schema: 'fine', username: name }))).toBe('IdentityInvalid');
        expect(await codeOf(driver.removeTenant({ schema: name, username: 'fine' }))).toBe('IdentityInvalid');
        expect(await codeOf(driver.countKeys({ schema: name, username: 'fine' }))).toBe('IdentityInvalid');
      },
    );

    it('finds a good server healthy', async () => {
      expect(await driver.check()).toEqual({
        healthy: true,
        reason: 'Healthy',
        message: expect.stringMatching(/\d+\.\d+\.\d+/) as string,
      });
    });

    it('says within its deadline that nobody answers, and goes on by itself when the server is back', async () => {
      const hasty = definition.open(server.connection, { timeoutMs: 1_000 });
      await hasty.check();
      await server.stop();
      const start = performance.now();
      const health = await hasty.check();
      expect(performance.now() - start).toBeLessThan(2_000);
      expect(health.healthy).toBe(false);
      expect(['Unreachable', 'TimedOut']).toContain(health.reason);
      expect(health.message).toContain(server.connection.endpoints[0]);
      expect(await codeOf(hasty.ensureTenant(a))).toMatch(/^(Unreachable|TimedOut)$/);
      await server.start();
      await expect.poll(async () => (await hasty.check()).healthy, { timeout: 10_000 }).toBe(true);
      hasty.close();
    });

    it('goes to the next endpoint when one does not answer, and tells', async () => {
      const endpoints = ['127.0.0.1:1', ...server.connection.endpoints];
      const spread = definition.open({ ...server.connection, endpoints });
      await spread.ensureTenant(a);
      expect(await spread.countKeys(a)).toBe(0);
      const health = await spread.check();
      expect(health.healthy).toBe(true);
      expect(health.message).toContain('127.0.0.1:1');
      spread.close();
    });

    it('ends a call when its signal aborts', async () => {
      const reason = new Error('enough');
      await expect(driver.ensureTenant(a, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const controller = new AbortController();
      const call = driver.check({ signal: controller.signal });
      controller.abort(reason);
      await expect(call).rejects.toBe(reason);
    });

    it('ends the calls under way before it closes', async () => {
      const short = definition.open(server.connection);
      const calls = [short.ensureTenant(a), short.check(), short.countKeys(a)];
      short.close();
      await expect(Promise.all(calls)).resolves.toMatchObject([{ changed: true }, { healthy: true }, 0]);
      await expect(short.countKeys(a)).rejects.toThrow('closed');
    });

    it('refuses a server that it cannot trust', async () => {
      const stranger = await options.start();
      const mistaken = definition.open(
        { ...server.connection, endpoints: stranger.connection.endpoints },
        { timeoutMs: 1_500 },
      );
      const health = await mistaken.check();
      expect(health.healthy).toBe(false);
      expect(JSON.stringify(health)).not.toContain('PRIVATE KEY');
      mistaken.close();
      await stranger.remove();
    });

    it('finds out that the server asks nobody who he is', async () => {
      const open = await options.startOpen();
      const careless = definition.open(open.connection);
      try {
        expect(await careless.check()).toMatchObject({ healthy: false, reason: 'AuthenticationDisabled' });
        expect(await codeOf(careless.ensureTenant(a))).toBe('AuthenticationDisabled');
        expect(await open.inventory()).toEqual([]);
      } finally {
        careless.close();
        await open.remove();
      }
    });

    it('sets 100 tenants up within five seconds', async () => {
      const identities = Array.from({ length: 100 }, (_, index) => ({ schema: `s${index}`, username: `u${index}` }));
      const start = performance.now();
      await Promise.all(identities.map((identity) => driver.ensureTenant(identity)));
      expect(performance.now() - start).toBeLessThan(5_000);
      await Promise.all(identities.map((identity) => driver.removeTenant(identity)));
    });
  });
}
