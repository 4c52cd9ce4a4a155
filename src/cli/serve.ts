import { randomUUID } from 'node:crypto';
import { systemClock } from '../base/clock.ts';
import { Lifecycle } from '../base/lifecycle.ts';
import { createLogger } from '../base/log.ts';
import { createMetrics } from '../base/metrics.ts';
import { createApiServer } from '../apiserver/server.ts';
import { newNamespaceLifecycle } from '../apiserver/admission/plugins/namespace-lifecycle.ts';
import { runCaInjection } from '../apiserver/serving/ca-injection.ts';
import { createServingCertificate } from '../apiserver/serving/serving-certificate.ts';
import { openStorage, type StorageDriverOptions } from '../apiserver/storage/drivers.ts';
import type { Storage } from '../apiserver/storage/storage.ts';
import { NAMESPACES } from '../kubeclient/resources.ts';
import { createKubeClient } from '../kubeclient/rest-client.ts';
import { allResources } from '../tenancy/resources/all.ts';
import { createTenancyAdmission } from '../tenancy/resources/admission.ts';
import { leadWhileElected } from '../reconcile/leader-election.ts';
import { runControllers } from '../tenancy/controllers/all.ts';
import { openAdminConnection } from './admin-connection.ts';
import { openAuditSink } from './audit-sink.ts';
import { createConnectSubresources } from './connect-subresources.ts';
import { createFrontDoor } from './front-door.ts';
import { hasTlsRoute } from './gateway-api.ts';
import { createGuardRoute } from './guard-route.ts';
import { createLoopbackClient } from './loopback-client.ts';
import { productVersion } from './product-version.ts';
import { refuseLostStorage } from './lost-storage.ts';
import { readServeFlags, type ServeFlags } from './serve-flags.ts';
import { createAccess } from './tenant-access.ts';
import { UsageError } from './usage-error.ts';

/** Who holds it runs the controllers. */
const CONTROLLERS_LEASE = 'kamaji-controllers';

/** Runs until a signal or a failure. Answers the exit code. @throws UsageError */
export async function serve(values: Readonly<Record<string, string | undefined>>): Promise<number> {
  const flags = readServeFlags(values);
  const clock = systemClock;
  const log = createLogger({ clock, level: flags.logLevel });
  const metrics = createMetrics({ process: true });
  const version = await productVersion();
  const lifecycle = new Lifecycle({ clock, log, graceMs: 38_000 });
  lifecycle.handleSignals();
  const { signal } = lifecycle;

  const adminClient = createKubeClient(await openAdminConnection(flags), { userAgent: `kamaji/${version}`, clock });
  // Given back whatever happens, in reverse order: what is left open would keep the process from ending.
  await using resources = new AsyncDisposableStack();
  resources.defer(() => adminClient.close());
  const access = createAccess(adminClient, clock, version);
  resources.defer(() => access.close());
  const storage = await openStorageOf(flags, { clock, log, signal }, (reason) => lifecycle.fail(reason));
  resources.defer(() => storage.close());
  const audit = await openAuditSink(flags, { clock, log, metrics });
  resources.defer(() => audit?.close());
  const names = [
    `${flags.service}.${flags.namespace}.svc`,
    `${flags.service}.${flags.namespace}.svc.cluster.local`,
    'localhost',
    '127.0.0.1',
  ];
  const serving = await createServingCertificate(
    { adminClient, namespace: flags.namespace, secretName: 'kamaji-serving-cert', names, clock, log },
    signal,
  );
  if (!flags.acceptEmptyStorage) await refuseLostStorage(storage, adminClient, signal);
  const frontDoor = createFrontDoor({ adminClient, clock, log, metrics });
  const server = createApiServer({
    definitions: allResources({ tenantControlPlaneConnect: createConnectSubresources(access, clock) }),
    storage,
    authenticators: frontDoor.authenticators,
    authorizer: frontDoor.authorizer,
    admission: [
      newNamespaceLifecycle(async (name, options) => {
        const found = await adminClient.find(NAMESPACES, '', name, options);
        return found && { phase: found.status?.phase ?? 'Active' };
      }),
      createTenancyAdmission({ defaultDataStore: flags.defaultDataStore, hasTlsRoute: () => hasTlsRoute(adminClient) }),
    ],
    publicRoutes: [createGuardRoute(flags, () => server.reader)],
    readyChecks: [frontDoor.readyCheck],
    audit,
    clock,
    log,
    metrics,
    version,
  });

  await server.start({ host: flags.bindAddress, port: flags.securePort, tls: serving });
  log.info('serving', {
    address: flags.bindAddress,
    port: flags.securePort,
    version,
    storage: flags.storage.split(':')[0],
  });
  lifecycle.run('front-door', (stop) => frontDoor.run(stop));
  lifecycle.run('serving-certificate', (stop) => serving.run(stop));
  lifecycle.run('ca-injection', (stop) =>
    runCaInjection(
      {
        adminClient,
        apiServices: ['v1alpha1.kamaji.io'],
        validatingWebhooks: ['kamaji-guard'],
        caBundle: () => serving.caBundle(),
        clock,
        log,
      },
      stop,
    ),
  );
  if (flags.controllers) {
    const kamajiClient = createLoopbackClient(flags, serving, frontDoor.loopbackToken, clock, version);
    const instance = `${process.env['POD_NAME'] ?? 'kamaji'}-${randomUUID().slice(0, 8)}`;
    const lead = (leading: AbortSignal): Promise<void> =>
      runControllers(
        {
          adminClient,
          kamajiClient,
          access,
          renewBeforeMs: flags.certificateRenewBeforeMs,
          instance,
          clock,
          log,
          metrics,
        },
        leading,
      );
    lifecycle.run('controllers', (stop) =>
      flags.leaderElect
        ? leadWhileElected(
            {
              client: adminClient,
              namespace: flags.namespace,
              name: CONTROLLERS_LEASE,
              identity: instance,
              lead,
              clock,
              log,
              metrics,
            },
            stop,
          )
        : lead(stop),
    );
  }
  lifecycle.run('api-server', async (stop) => {
    await abortOf(stop);
    await server.stop({ delayMs: flags.shutdownDelayMs, drainMs: 30_000 });
  });

  const exitCode = await lifecycle.wait();
  await resources.disposeAsync();
  log.info('stopped', { exitCode });
  return exitCode;
}

/** @throws UsageError for a URL that no storage understands */
async function openStorageOf(
  { storage, etcd }: ServeFlags,
  options: Pick<StorageDriverOptions, 'clock' | 'log' | 'signal'>,
  onFailure: (reason: string) => void,
): Promise<Storage> {
  try {
    return await openStorage(storage, {
      ...options,
      ...(etcd !== undefined && { etcd }),
      onFailure: (error) => onFailure(`storage failed: ${error.message}`),
    });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`--storage: ${error.message}`);
    throw error;
  }
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
