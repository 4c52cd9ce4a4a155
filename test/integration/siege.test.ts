/** Thousands of clients that want nothing but to be a burden: normal requests are answered all the while. */
import { readFile } from 'node:fs/promises';
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import {
  GROUP_PATH,
  kubeconfigCredentials,
  openClusterApi,
  openOwnPort,
  OWN_PORT,
  type Credentials,
  type RawApi,
} from '../env/raw-api.ts';

const tenants = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;
/** What a normal request may take meanwhile, on a machine that also has to play the besiegers. */
const PATIENCE_MS = 5_000;
/** The listener gives a handshake 10 s and headers 15 s, and looks every half minute. */
const LEFT_ALONE_MS = 60_000;

let server: ApiServerProcess;
let cluster: RawApi;
let own: RawApi;
let credentials: Credentials;
let pid: number | undefined;
let calm: number;

beforeAll(async () => {
  server = await startApiServer();
  cluster = await openClusterApi();
  credentials = await kubeconfigCredentials();
  own = openOwnPort(credentials);
  pid = server.pid();
  await cluster.read(`${GROUP_PATH}/datastores`, { method: 'POST', body: dataStoreObject('default') });
  await normalLife('warm', 20);
  calm = await megabytes();
});
afterAll(async () => {
  cluster?.close();
  own?.close();
  await server?.remove();
});

async function megabytes(): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

let names = 0;

/** Reads and writes, through the cluster and directly; each must be answered well and in time. Answers the slowest, in ms. */
async function normalLife(what: string, requests = 40): Promise<number> {
  let worst = 0;
  for (let index = 0; index < requests; index++) {
    const api = index % 2 === 0 ? cluster : own;
    const began = performance.now();
    const answer =
      index % 4 < 2
        ? await api.ask(`${tenants}?limit=5`, { timeoutMs: PATIENCE_MS })
        : await api.ask(`${tenants}?dryRun=All`, {
            method: 'POST',
            body: tenantObject(`siege-${names++}`),
            timeoutMs: PATIENCE_MS,
          });
    worst = Math.max(worst, performance.now() - began);
    expect([what, answer.code]).toEqual([what, index % 4 < 2 ? 200 : 201]);
  }
  expect(server.pid()).toBe(pid);
  return worst;
}

/** Sockets that are kept until they are let go, or the server has had enough. */
class Crowd {
  readonly sockets: Socket[] = [];
  closed = 0;

  add(socket: Socket): void {
    this.sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.closed++);
  }

  /** `count` more, some at a time: a listener's backlog is short. */
  async gather(count: number, open: () => Promise<Socket>): Promise<void> {
    for (let left = count; left > 0; left -= 50) {
      for (const socket of await Promise.all(Array.from({ length: Math.min(50, left) }, open))) this.add(socket);
    }
  }

  async untilGone(share: number, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.closed < this.sockets.length * share && Date.now() < deadline) await sleep(100);
    expect(this.closed).toBeGreaterThanOrEqual(this.sockets.length * share);
  }

  disperse(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

function openTcp(): Promise<Socket> {
  const socket = connectTcp(OWN_PORT);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}

function openTls(options: { readonly alpn?: string; readonly as?: Credentials } = {}): Promise<Socket> {
  const { alpn = 'http/1.1', as } = options;
  const socket = connectTls({ ...OWN_PORT, ...as, ALPNProtocols: [alpn], rejectUnauthorized: false });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('secureConnect', () => resolve(socket));
  });
}

/** Sends `text` one piece a second until the socket is closed. */
function trickle(socket: Socket, start: string, piece: string): void {
  socket.write(start);
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else socket.write(piece);
  }, 1_000);
  socket.once('close', () => clearInterval(timer));
}

const crowd = new Crowd();
const slow = new Crowd();
afterAll(() => {
  crowd.disperse();
  slow.disperse();
});

describe('thousands of connections', () => {
  it('3,500 that say nothing or next to nothing hold nobody up', async () => {
    await crowd.gather(1_500, openTcp);
    await crowd.gather(1_000, openTls);
    await crowd.gather(500, async () => {
      const socket = await openTls();
      trickle(socket, 'GET /livez HTTP/1.1\r\n', 'x');
      return socket;
    });
    await crowd.gather(500, () => openTls({ alpn: 'h2' }));
    expect(crowd.sockets).toHaveLength(3_500);
    const worst = await normalLife('among the silent');
    console.log(
      `slowest request among 3,500 silent connections: ${Math.round(worst)} ms; ${Math.round(await megabytes())} MB`,
    );
    expect(await megabytes()).toBeLessThan(calm + 250);
  });

  it('500 bodies that trickle hold up nobody else', async () => {
    const start = (as: string): string =>
      `POST ${tenants} HTTP/1.1\r\nHost: kamaji\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n${as}\r\n`;
    // Nobody's are refused before a byte of the body is read.
    await slow.gather(400, async () => {
      const socket = await openTls();
      trickle(socket, start(''), ' ');
      return socket;
    });
    await slow.gather(100, async () => {
      const socket = await openTls({ as: credentials });
      trickle(socket, start(''), ' ');
      return socket;
    });
    await normalLife('among slow bodies');
  });

  it('who does not finish a handshake or a header is sent away', async () => {
    const unfinished = new Crowd();
    // The first 1,500 never began with TLS; 500 of the others trickle a header.
    for (const socket of [...crowd.sockets.slice(0, 1_500), ...crowd.sockets.slice(2_500, 3_000)]) {
      unfinished.sockets.push(socket);
      if (socket.closed) unfinished.closed++;
      else socket.once('close', () => unfinished.closed++);
    }
    await unfinished.untilGone(1, LEFT_ALONE_MS);
  });

  it('2,000 answers that nobody reads cost little', async () => {
    const deaf = new Crowd();
    try {
      await deaf.gather(200, async () => {
        const socket = await openTls({ as: credentials });
        socket.pause();
        // Ten of them in one go.
        socket.write(`GET ${tenants} HTTP/1.1\r\nHost: kamaji\r\n\r\n`.repeat(10));
        return socket;
      });
      await normalLife('among the deaf');
      expect(await megabytes()).toBeLessThan(calm + 300);
    } finally {
      deaf.disperse();
    }
  });
});

describe('HTTP/2', () => {
  /** A session that may be closed by the server at any time. */
  function openSession(): ClientHttp2Session {
    const session = connectHttp2(`https://${OWN_PORT.host}:${OWN_PORT.port}`, { rejectUnauthorized: false });
    session.on('error', () => undefined);
    return session;
  }

  it('50,000 streams that are reset as soon as they are open cost their connections and nobody else', async () => {
    let sent = 0;
    let refusedSessions = 0;
    const attack = async (): Promise<void> => {
      const deadline = Date.now() + 20_000;
      while (sent < 50_000 && Date.now() < deadline) {
        const session = openSession();
        for (let n = 0; n < 500 && !session.destroyed && !session.closed; n++) {
          const stream = session.request({ ':path': tenants });
          stream.on('error', () => undefined);
          stream.close(constants.NGHTTP2_CANCEL);
          sent++;
          if (n % 100 === 99) await sleep(1);
        }
        if (session.closed || session.destroyed) refusedSessions++;
        session.destroy();
      }
    };
    const attacks = Promise.all(Array.from({ length: 4 }, attack));
    await normalLife('during a rapid reset');
    await attacks;
    console.log(`${sent} streams were reset; ${refusedSessions} connections had been closed by the server before`);
    expect(sent).toBeGreaterThan(5_000);
    await normalLife('after a rapid reset');
    expect(await megabytes()).toBeLessThan(calm + 300);
  });

  it('one connection that resets without end is closed', async () => {
    const session = openSession();
    let sent = 0;
    while (!session.destroyed && sent < 20_000) {
      for (let n = 0; n < 200 && !session.destroyed && !session.closed; n++, sent++) {
        const stream = session.request({ ':path': '/livez' });
        stream.on('error', () => undefined);
        stream.close(constants.NGHTTP2_CANCEL);
      }
      await sleep(2);
    }
    session.destroy();
    expect(sent).toBeLessThan(20_000);
    await normalLife('after one that was closed');
  });

  it('1,000 streams that never send their bodies hold nobody up', async () => {
    const sessions = Array.from({ length: 2 }, openSession);
    try {
      for (const session of sessions) {
        for (let n = 0; n < 500; n++) {
          const stream = session.request({ ':path': tenants, ':method': 'POST', 'content-type': 'application/json' });
          stream.on('error', () => undefined);
          stream.write('{');
        }
      }
      await normalLife('among streams without an end');
      expect(await megabytes()).toBeLessThan(calm + 300);
    } finally {
      for (const session of sessions) session.destroy();
    }
  });
});

describe('in the end', () => {
  it('bodies that trickle come to one', async () => {
    // A write may take 34 s and any request 65 s, and the listener looks every half minute.
    await slow.untilGone(1, 100_000);
  });

  it('and when they have gone, all is as before', async () => {
    crowd.disperse();
    await sleep(2_000);
    const worst = await normalLife('afterwards');
    expect(worst).toBeLessThan(PATIENCE_MS);
    expect(await megabytes()).toBeLessThan(calm + 300);
  });
});
