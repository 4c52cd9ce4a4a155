import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FakeClock } from '../../base/fake-clock.ts';
import type { LogFields, Logger } from '../../base/log.ts';
import { silentLogger } from '../../base/log.ts';
import { createMetrics } from '../../base/metrics.ts';
import { createCertificateAuthority, issueCertificate, openAuthority } from '../../pki/issue.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import type { AuditSink } from '../audit/audit-log.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { InFlightLimits } from '../filters/in-flight.ts';
import type { PublicRoute } from '../public-route.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import type { ApiServer } from '../server.ts';
import { createApiServer } from '../server.ts';
import { SqliteStorage } from '../storage/sqlite/sqlite-storage.ts';
import type { TlsMaterial } from '../tls-source.ts';
import { fixedTlsSource } from '../tls-source.ts';

/** A real HTTPS server over a real storage, with users that say who they are. */

export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body; undefined when it is no JSON. */
  readonly body: TestObject;
}

// The wire is untyped; tests look into it freely.
// oxlint-disable-next-line typescript/no-explicit-any
export type TestObject = any;

export interface Call {
  readonly body?: string | object;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly user?: string;
  /** No user at all. */
  readonly anonymous?: boolean;
}

export interface TestServerOptions {
  readonly definitions: readonly ResourceDefinition[];
  readonly admission?: readonly AdmissionPlugin[];
  readonly authorizer?: Authorizer;
  readonly publicRoutes?: readonly PublicRoute[];
  readonly inFlight?: InFlightLimits;
  readonly maxQueuedChanges?: number;
  readonly historyWrites?: number;
  readonly audit?: AuditSink;
}

/** `x-test-user: name` with `x-test-group` repeated. */
export const testAuthenticator: Authenticator = {
  authenticate({ rawHeaders }) {
    const values = (wanted: string): readonly string[] =>
      rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted);
    const [name] = values('x-test-user');
    const groups = [...values('x-test-group'), 'system:authenticated'];
    return Promise.resolve(name === undefined ? undefined : { user: { name, groups, extra: {} } });
  },
};

const allowAll: Authorizer = { authorize: () => Promise.resolve({ allowed: true, reason: '' }) };

export async function newTlsMaterial(clock: FakeClock): Promise<TlsMaterial> {
  const now = new Date(clock.now());
  const authority = openAuthority(await createCertificateAuthority({ subject: { commonName: 'test' }, now }));
  const issued = await issueCertificate(
    authority,
    { subject: { commonName: 'test' }, usages: ['server'], names: ['localhost'] },
    now,
  );
  return { key: issued.key, cert: issued.certificate };
}

export class TestServer {
  readonly clock: FakeClock;
  readonly storage: SqliteStorage;
  readonly server: ApiServer;
  readonly port: number;
  /** Lines of the server's log at level warn and above. */
  readonly complaints: { readonly message: string; readonly fields: LogFields | undefined }[];
  readonly #agent = new Agent({ rejectUnauthorized: false, keepAlive: true });
  readonly #directory: string;

  private constructor(
    clock: FakeClock,
    storage: SqliteStorage,
    server: ApiServer,
    port: number,
    complaints: TestServer['complaints'],
    directory: string,
  ) {
    this.clock = clock;
    this.storage = storage;
    this.server = server;
    this.port = port;
    this.complaints = complaints;
    this.#directory = directory;
  }

  static async open(options: TestServerOptions): Promise<TestServer> {
    const directory = mkdtempSync(join(tmpdir(), 'apiserver-'));
    await using opened = new AsyncDisposableStack();
    opened.defer(() => rmSync(directory, { recursive: true, force: true }));
    const clock = new FakeClock();
    const { maxQueuedChanges, historyWrites } = options;
    const storage = await SqliteStorage.open({
      path: join(directory, 'test.db'),
      clock,
      ...(maxQueuedChanges === undefined ? {} : { maxQueuedChanges }),
      ...(historyWrites === undefined ? {} : { historyWrites }),
    });
    opened.defer(() => storage.close());
    const complaints: TestServer['complaints'] = [];
    const complain = (message: string, fields?: LogFields): void => void complaints.push({ message, fields });
    const log: Logger = {
      ...silentLogger,
      warn: complain,
      error: complain,
      enabled: (level) => level === 'warn' || level === 'error',
    };
    const server = createApiServer({
      definitions: options.definitions,
      storage,
      authenticators: [testAuthenticator],
      authorizer: options.authorizer ?? allowAll,
      admission: options.admission ?? [],
      clock,
      log,
      metrics: createMetrics(),
      version: '0.1.0',
      publicRoutes: options.publicRoutes ?? [],
      ...(options.inFlight === undefined ? {} : { inFlight: options.inFlight }),
      audit: options.audit,
    });
    const { port } = await server.start({
      host: '127.0.0.1',
      port: 0,
      tls: fixedTlsSource(await newTlsMaterial(clock)),
    });
    // From here on it is `close` that gives all of it back.
    opened.move();
    return new TestServer(clock, storage, server, port, complaints, directory);
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    const stopped = this.server.stop({ drainMs: 100 });
    await this.clock.advance(200);
    await stopped;
    await this.storage.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async call(method: string, path: string, call: Call = {}): Promise<Answer> {
    const response = await this.open(method, path, call);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    return { code: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) };
  }

  /** The answer as soon as its headers are there. */
  open(method: string, path: string, call: Call = {}, signal?: AbortSignal): Promise<IncomingMessage> {
    const { body } = call;
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    const headers: Record<string, string | string[]> = {
      ...(call.anonymous === true ? {} : { 'x-test-user': call.user ?? 'jane' }),
      ...(text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
      ...call.headers,
    };
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(
        {
          agent: this.#agent,
          host: '127.0.0.1',
          port: this.port,
          method,
          path,
          headers,
          ...(signal === undefined ? {} : { signal }),
        },
        resolve,
      );
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  }

  /** Events of a watch, one object each. */
  async watch(path: string, call: Call = {}): Promise<TestWatch> {
    const controller = new AbortController();
    const response = await this.open('GET', path, call, controller.signal);
    return new TestWatch(response, controller);
  }
}

function parsed(text: string): TestObject {
  try {
    return JSON.parse(text);
  } catch {
    // Some answers are plain text, and tests look at `text` then.
    return undefined;
  }
}

export class TestWatch {
  readonly response: IncomingMessage;
  readonly #controller: AbortController;
  readonly #lines: AsyncIterator<string>;

  constructor(response: IncomingMessage, controller: AbortController) {
    this.response = response;
    this.#controller = controller;
    response.on('error', () => undefined);
    this.#lines = createInterface({ input: response })[Symbol.asyncIterator]();
  }

  /** The next event; undefined once the stream has ended. */
  async next(): Promise<TestObject> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : JSON.parse(value);
  }

  /** The next so many events as `TYPE name` (or `BOOKMARK`). */
  async take(count: number): Promise<readonly string[]> {
    const events: string[] = [];
    for (let i = 0; i < count; i++) {
      const event = await this.next();
      const name = event?.object?.metadata?.name;
      events.push(event === undefined ? 'END' : name === undefined ? event.type : `${event.type} ${name}`);
    }
    return events;
  }

  stop(): void {
    this.#controller.abort();
  }
}
