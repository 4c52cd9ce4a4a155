import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Request, Response } from './filters/filter.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { newMethodNotAllowed, newUnknownPath } from '../apimachinery/status.ts';
import type { AdmissionPlugin, ObjectReader } from './admission/admission.ts';
import { newAdmissionChain } from './admission/chain.ts';
import type { AuditSink } from './audit/audit-log.ts';
import type { Authenticator } from './authentication/authenticator.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import { Discovery } from './discovery/serve.ts';
import { dispatch, endpointKey } from './dispatch.ts';
import type { InFlightLimits } from './filters/in-flight.ts';
import { defaultInFlightLimits } from './filters/in-flight.ts';
import { newHandlerChain } from './handler-chain.ts';
import type { Endpoint } from './handlers/exchange.ts';
import type { HealthCheck, HealthEndpoint } from './health/checks.ts';
import { serveHealth } from './health/checks.ts';
import type { ListenOptions } from './listener.ts';
import { Listener } from './listener.ts';
import { negotiateOutput, plainForms } from './negotiation.ts';
import { newObjectReader } from './object-reader.ts';
import { OpenApi } from './openapi/serve.ts';
import type { PublicRoute } from './public-route.ts';
import { cutAtMetadata } from './registry/codec.ts';
import type { ResourceDefinition } from './registry/definition.ts';
import { Lister } from './registry/lister.ts';
import { newResource } from './registry/resource.ts';
import { ResourceStore } from './registry/store.ts';
import { Watcher } from './registry/watcher.ts';
import { contextOf } from './request-context.ts';
import { sendBody } from './response.ts';
import { ServerState } from './server-state.ts';
import { CachedStorage } from './storage/cache/cached-storage.ts';
import type { Storage } from './storage/storage.ts';
import { versionInfo } from './version.ts';

export interface ApiServerOptions {
  readonly definitions: readonly ResourceDefinition[];
  readonly storage: Storage;
  /** Asked in order. */
  readonly authenticators: readonly Authenticator[];
  readonly authorizer: Authorizer;
  /** Asked in order. */
  readonly admission: readonly AdmissionPlugin[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Our own version, such as `0.1.0`. */
  readonly version: string;
  /** What must hold besides the storage before requests may come. */
  readonly readyChecks?: readonly HealthCheck[];
  readonly inFlight?: InFlightLimits;
  /** Paths outside of authentication. */
  readonly publicRoutes?: readonly PublicRoute[];
  /** Where audit events go; nowhere when left out. The caller closes it, after `stop`. */
  readonly audit?: AuditSink | undefined;
  /** Numbers in [0, 1). */
  readonly random?: () => number;
  readonly newUid?: () => string;
}

export interface StopOptions {
  /** How long to go on serving while not ready, so that nobody is sent here any more. Default 0. */
  readonly delayMs?: number;
  /** How long running requests may take to end. Default 60,000. */
  readonly drainMs?: number;
}

export interface ApiServer {
  /** For a server of one's own, and for tests. */
  readonly handler: RequestListener;
  /** Reads our objects without HTTP. */
  readonly reader: ObjectReader;
  /** @throws Error when the port cannot be opened */
  start(options: ListenOptions): Promise<AddressInfo>;
  /** Not ready, then no new connections, then watches end in order and requests finish. The storage stays open. */
  stop(options?: StopOptions): Promise<void>;
}

/** The generic API server over any set of kinds. @throws Error for a definition that cannot be served */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { clock, log, metrics } = options;
  const state = new ServerState();
  const cache = new CachedStorage(options.storage, { clock, log, cut: cutAtMetadata });
  const { endpoints, reader } = newEndpoints(options, cache);
  const discovery = new Discovery(options.definitions);
  const openApi = new OpenApi(options.definitions, options.version);
  const health = newHealthEndpoints(options, state);
  const versionText = JSON.stringify(versionInfo(options.version));

  const serve = async (request: Request, response: Response): Promise<void> => {
    const { info } = contextOf(request);
    if (info.isResourceRequest) return dispatch(endpoints, request, response);
    if (request.method !== 'GET' && request.method !== 'HEAD') throw newMethodNotAllowed();
    if (await discovery.serve(request, response)) return;
    if (await openApi.serve(request, response)) return;
    for (const endpoint of health) {
      if (await serveHealth(endpoint, request, response, logFailure)) return;
    }
    if (info.path === '/version')
      return sendBody(request, response, 200, negotiateOutput(request.headers.accept, plainForms), {
        text: versionText,
      });
    if (info.path === '/metrics') return serveMetrics(metrics, response);
    throw newUnknownPath();
  };
  const logFailure = (check: string, error: unknown): void => log.warn('health check failed', { check, error });

  const handler = newHandlerChain({
    clock,
    log,
    metrics,
    state,
    authenticators: options.authenticators,
    authorizer: options.authorizer,
    inFlight: options.inFlight ?? defaultInFlightLimits,
    publicRoutes: options.publicRoutes ?? [],
    audit: options.audit,
    isServed: (group, version, resource, subresource) => isServed(endpoints, group, version, resource, subresource),
    serve,
  });
  let listener: Listener | undefined;

  return {
    handler,
    reader,
    async start(listen) {
      listener = await Listener.open(listen, handler, clock);
      return listener.address;
    },
    async stop({ delayMs = 0, drainMs = 60_000 } = {}) {
      state.beginStop();
      if (delayMs > 0) await clock.sleep(delayMs);
      const closed = listener?.close(drainMs);
      state.endLongRunning();
      await closed;
      await cache.stop();
    },
  };
}

function newEndpoints(
  options: ApiServerOptions,
  storage: Storage,
): {
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly reader: ObjectReader;
} {
  const { clock } = options;
  const random = options.random ?? Math.random;
  const deps = { storage, clock, random, newUid: options.newUid ?? randomUUID };
  const stores = options.definitions.map((definition) => new ResourceStore(newResource(definition), deps));
  const reader = newObjectReader(new Map(stores.map((store) => [store.resource.definition.plural, store])), storage);
  const lister = new Lister(storage, clock);
  const watcher = new Watcher(storage, lister, clock);
  const admission = newAdmissionChain(options.admission);
  const watchEvents = options.metrics.counter('apiserver_watch_events_total', 'Events sent by watches.', [
    'group',
    'version',
    'resource',
  ]);
  const endpoints = new Map<string, Endpoint>();
  for (const store of stores) {
    const { resource } = store;
    const { group, version, plural } = resource.definition;
    const key = endpointKey(group, version, plural);
    if (endpoints.has(key)) throw new Error(`${plural}.${version}.${group} is defined twice`);
    endpoints.set(key, {
      resource,
      store,
      lister,
      watcher,
      admission,
      reader,
      authorizer: options.authorizer,
      clock,
      random,
      countWatchEvent: () => watchEvents.inc({ group, version, resource: plural }),
    });
  }
  return { endpoints, reader };
}

function isServed(
  endpoints: ReadonlyMap<string, Endpoint>,
  group: string,
  version: string,
  resource: string,
  subresource: string,
): boolean {
  const endpoint = endpoints.get(endpointKey(group, version, resource));
  if (endpoint === undefined || subresource === '') return endpoint !== undefined;
  const { status, scale, connect } = endpoint.resource.definition.subresources;
  if (subresource === 'status') return status === true;
  if (subresource === 'scale') return scale !== undefined;
  return connect?.some((candidate) => candidate.name === subresource) === true;
}

function newHealthEndpoints(options: ApiServerOptions, state: ServerState): readonly HealthEndpoint[] {
  const ping: HealthCheck = { name: 'ping', check: () => Promise.resolve() };
  const storage: HealthCheck = { name: 'storage', check: async () => void (await options.storage.currentRevision()) };
  const shutdown: HealthCheck = {
    name: 'shutdown',
    check: () => (state.stopping ? Promise.reject(new Error('the server is stopping')) : Promise.resolve()),
  };
  const ready = [ping, storage, ...(options.readyChecks ?? []), shutdown];
  return [
    { name: 'healthz', checks: [ping, storage] },
    { name: 'livez', checks: [ping, storage] },
    { name: 'readyz', checks: ready },
  ];
}

async function serveMetrics(metrics: Metrics, response: Response): Promise<void> {
  const text = await metrics.text();
  response.setHeader('Content-Type', metrics.contentType);
  response.end(text);
}
