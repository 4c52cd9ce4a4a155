import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryCluster } from '../../../test/env/memory-cluster.ts';
import { systemClock } from '../../base/clock.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { createLogger } from '../../base/log.ts';
import type { Secret } from '../../kubeclient/kinds.ts';
import { SECRETS } from '../../kubeclient/resources.ts';
import { parseTrustBundle, verifyClientCertificate } from '../authentication/client-certificate-verifier.ts';
import { Listener } from '../listener.ts';
import { createServingCertificate, nextState, type ServingState } from './serving-certificate.ts';

const DAY_MS = 86_400_000;
const names = ['kamaji.ns.svc', 'kamaji.ns.svc.cluster.local', 'localhost', '127.0.0.1'];

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

function setUp(checkMs = 60_000) {
  const cluster = new MemoryCluster();
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLogger({ clock, level: 'debug', write: (line) => void lines.push(line) });
  const options = { adminClient: cluster, namespace: 'ns', secretName: 'serving', names, clock, log, checkMs };
  return { cluster, clock, lines, create: () => createServingCertificate(options, stop.signal) };
}

/** Whether a client that trusts `bundle` and connects to our Service accepts what we show. */
function isAccepted(bundle: string, certificate: string, nowMs: number): boolean {
  const leaf = new X509Certificate(certificate);
  const issuer = parseTrustBundle(bundle).authorities.find((ca) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey));
  if (issuer === undefined || leaf.checkHost('kamaji.ns.svc') === undefined || leaf.checkIP('127.0.0.1') === undefined)
    return false;
  return [leaf, issuer].every(
    ({ validFromDate, validToDate }) => validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime(),
  );
}

describe('the serving certificate', () => {
  test('is made once and shared through the Secret', async () => {
    const { cluster, create, lines, clock } = setUp();
    const [first, second] = await Promise.all([create(), create()]);
    const third = await create();
    expect(second.current()).toEqual(first.current());
    expect(third.current()).toEqual(first.current());
    expect(isAccepted(first.caBundle(), first.current().cert, clock.now())).toBe(true);
    const secret = cluster.peek(SECRETS, 'ns', 'serving') as Secret;
    expect(Object.keys(secret.data!).sort()).toEqual(['ca.crt', 'ca.key', 'previous-ca.crt', 'tls.crt', 'tls.key']);
    expect(lines.join('')).not.toContain('PRIVATE KEY');
    // It is for servers: shown as a client's, it opens nothing.
    const verdict = verifyClientCertificate(
      new X509Certificate(first.current().cert),
      parseTrustBundle(first.caBundle()),
      clock.now(),
    );
    expect(verdict.trusted).toBe(false);
  });

  test('is renewed with a third of its life left, and listeners are told', async () => {
    const { create, clock } = setUp(DAY_MS / 4);
    const serving = await create();
    const shown: string[] = [];
    serving.onChange(({ cert }) => shown.push(cert));
    const running = serving.run(stop.signal);
    const first = serving.current().cert;
    for (let day = 0; day < 61; day += 1) {
      await clock.advance(DAY_MS);
    }
    expect(shown).toHaveLength(1);
    expect(serving.current().cert).toBe(shown[0]);
    expect(serving.current().cert).not.toBe(first);
    stop.abort();
    await running;
  });

  test('is always one that a client with the bundle of ten minutes ago accepts, through years of renewals and new authorities', async () => {
    let now = Date.UTC(2026, 0, 1);
    let state: ServingState | undefined;
    const bundles: { at: number; bundle: string }[] = [];
    const authorities = new Set<string>();
    const certificates = new Set<string>();
    // Looks every minute around changes, else every day.
    let fine = 0;
    while (now < Date.UTC(2030, 0, 1)) {
      const next = await nextState(state, names, new Date(now));
      if (next.changed) fine = 30;
      state = next.state;
      const bundle = state.ca.certificate + state.previousCa;
      bundles.push({ at: now, bundle });
      while (bundles.length > 1 && bundles[1]!.at <= now - 600_000) bundles.shift();
      for (const known of certificates.size === 0 ? [{ bundle }] : bundles) {
        expect(isAccepted(known.bundle, state.leaf.certificate, now)).toBe(true);
      }
      authorities.add(state.ca.certificate);
      certificates.add(state.leaf.certificate);
      now += fine-- > 0 ? 60_000 : DAY_MS;
    }
    expect(authorities.size).toBeGreaterThanOrEqual(6);
    expect(certificates.size).toBeGreaterThan(20);
  });

  test('is made anew at once when everything has expired meanwhile', async () => {
    const { state } = await nextState(undefined, names, new Date('2026-01-01'));
    const later = new Date('2029-01-01');
    const announced = await nextState(state, names, later);
    const issued = await nextState(announced.state, names, later);
    expect(isAccepted(issued.state.ca.certificate, issued.state.leaf.certificate, later.getTime())).toBe(true);
  });

  test('follows changed names', async () => {
    const { state } = await nextState(undefined, names, new Date());
    const next = await nextState(state, [...names, '10.0.0.1'], new Date());
    expect(next.changed).toBe(true);
    expect(new X509Certificate(next.state.leaf.certificate).checkIP('10.0.0.1')).toBe('10.0.0.1');
    expect(next.state.ca).toEqual(state.ca);
  });

  test.each([
    ['garbage', (data: Record<string, string>) => ({ ...data, 'ca.crt': 'AAAA' })],
    ['nothing', () => ({})],
    ['another key', (data: Record<string, string>) => ({ ...data, 'ca.key': data['tls.key']! })],
    [
      'a certificate cut short',
      (data: Record<string, string>) => ({ ...data, 'tls.crt': data['tls.crt']!.slice(0, 100) }),
    ],
    ['a bad previous authority', (data: Record<string, string>) => ({ ...data, 'previous-ca.crt': 'AAAA' })],
  ])('starts over from a Secret that holds %s', async (_what, damage) => {
    const { cluster, create, clock } = setUp();
    const before = await create();
    const secret = cluster.peek(SECRETS, 'ns', 'serving') as Secret;
    cluster.put(SECRETS, { ...secret, data: damage({ ...secret.data }) });
    const after = await create();
    expect(after.caBundle()).not.toBe(before.caBundle());
    expect(isAccepted(after.caBundle(), after.current().cert, clock.now())).toBe(true);
  });

  test('stays in use while the cluster does not answer', async () => {
    const { cluster, create, clock, lines } = setUp();
    const serving = await create();
    const running = serving.run(stop.signal);
    const shown = serving.current();
    cluster.intercept = () => {
      throw new Error('connection refused');
    };
    await clock.advance(300_000);
    expect(serving.current()).toEqual(shown);
    expect(lines.join('')).toContain('could not be checked');
    stop.abort();
    await running;
  });

  test('changes under a running TLS server without dropping its connections', async () => {
    const first = await nextState(undefined, names, new Date());
    const second = await nextState(first.state, [...names, 'new.example'], new Date());
    let material = { key: first.state.leaf.key, cert: first.state.leaf.certificate };
    let tell: ((next: typeof material) => void) | undefined;
    const tls = {
      current: () => material,
      onChange: (listener: (next: typeof material) => void) => {
        tell = listener;
        return () => undefined;
      },
    };
    const listener = await Listener.open(
      { host: '127.0.0.1', port: 0, tls },
      (_request, response) => response.end('ok'),
      systemClock,
    );
    const open = async () => {
      const socket = connect({
        host: '127.0.0.1',
        port: listener.address.port,
        servername: 'localhost',
        ca: first.state.ca.certificate,
      });
      await once(socket, 'secureConnect');
      return socket;
    };
    const old = await open();
    expect(old.authorized).toBe(true);
    expect(old.getPeerCertificate().subjectaltname).not.toContain('new.example');
    material = { key: second.state.leaf.key, cert: second.state.leaf.certificate };
    tell!(material);
    const fresh = await open();
    expect(fresh.getPeerCertificate().subjectaltname).toContain('new.example');
    old.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const [answer] = (await once(old, 'data')) as [Buffer];
    expect(answer.toString()).toContain('200 OK');
    old.destroy();
    fresh.destroy();
    await listener.close(100);
  });
});
