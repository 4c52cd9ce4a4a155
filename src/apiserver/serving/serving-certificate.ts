import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { isAlreadyExists, isConflict } from '../../kubeclient/api-error.ts';
import type { KubeClient } from '../../kubeclient/client.ts';
import type { Secret } from '../../kubeclient/kinds.ts';
import { SECRETS } from '../../kubeclient/resources.ts';
import type { CertificateAndKey } from '../../pki/certificate-and-key.ts';
import { createCertificateAuthority, issueCertificate, openAuthority } from '../../pki/issue.ts';
import { isIssuedBy, parseCertificate, type InspectedCertificate } from '../../pki/inspect.ts';
import { PkiError } from '../../pki/pki-error.ts';
import { decideRenewal } from '../../pki/renewal.ts';
import type { TlsMaterial, TlsSource } from '../tls-source.ts';

const DAY_MS = 86_400_000;
const CA_LIFETIME_MS = 365 * DAY_MS;
const CERTIFICATE_LIFETIME_MS = 90 * DAY_MS;
/** Longer than any replica or registration takes to see a new authority, its back-dating included. */
const ANNOUNCEMENT_MS = 15 * 60_000;

export interface ServingCertificateOptions {
  /** Where the Secret is kept, so that replicas show certificates of one authority. */
  readonly adminClient: KubeClient;
  readonly namespace: string;
  readonly secretName: string;
  /** DNS names and addresses under which clients reach us; the first is the common name. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  /** How often the Secret is looked at again. Default 60,000. */
  readonly checkMs?: number;
}

/** What the Secret holds. `previousCa` is still trusted, because a certificate of it may still be shown. */
export interface ServingState {
  readonly ca: CertificateAndKey;
  readonly previousCa: string;
  readonly leaf: CertificateAndKey;
}

export interface ServingCertificate extends TlsSource {
  /** PEM of every authority that clients should trust now. */
  caBundle(): string;
  /** Renews in time and follows the other replicas, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * A serving certificate that the server issues to itself and renews, from an authority that it also makes itself. The first
 * pass is done when this resolves. @throws ApiError, ConnectionError
 */
export async function createServingCertificate(
  options: ServingCertificateOptions,
  signal: AbortSignal,
): Promise<ServingCertificate> {
  const { clock, log } = options;
  const listeners = new Set<(material: TlsMaterial) => void>();
  let state = await bringUpToDate(options, signal);
  const material = (): TlsMaterial => ({ key: state.leaf.key, cert: state.leaf.certificate });

  return {
    current: material,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    caBundle: () => bundleOf(state),
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(options.checkMs ?? 60_000, signal).catch(() => undefined);
        if (signal.aborted) return;
        try {
          const next = await bringUpToDate(options, signal);
          const changed = next.leaf.certificate !== state.leaf.certificate;
          state = next;
          if (!changed) continue;
          log.info('the serving certificate was renewed', {
            notAfter: parseCertificate(next.leaf.certificate).notAfter,
          });
          for (const listener of listeners) listener(material());
        } catch (error) {
          // The certificate in use is still good for weeks when this begins to fail.
          if (!signal.aborted) log.warn('the serving certificate could not be checked', { error });
        }
      }
    },
  };
}

const bundleOf = (state: ServingState): string => state.ca.certificate + state.previousCa;

async function bringUpToDate(options: ServingCertificateOptions, signal: AbortSignal): Promise<ServingState> {
  const { adminClient, namespace, secretName } = options;
  for (let attempt = 0; ; attempt++) {
    const secret = await adminClient.find(SECRETS, namespace, secretName, { signal });
    const { state, changed } = await nextState(readState(secret), options.names, new Date(options.clock.now()));
    if (!changed) return state;
    try {
      await write(options, secret, state, signal);
      return state;
    } catch (error) {
      // Another replica was faster: what it wrote is as good as ours.
      if (!(isAlreadyExists(error) || isConflict(error)) || attempt >= 4) throw error;
    }
  }
}

/**
 * What the Secret should hold next. A new authority is announced first, in the bundle that clients get; certificates of it are
 * issued once the announcement has had time to reach everybody.
 */
export async function nextState(
  state: ServingState | undefined,
  names: readonly string[],
  now: Date,
): Promise<{ readonly state: ServingState; readonly changed: boolean }> {
  if (state === undefined) {
    const ca = await newAuthority(now);
    return { state: { ca, previousCa: '', leaf: await newLeaf(ca, names, now) }, changed: true };
  }
  const authority = parseCertificate(state.ca.certificate);
  const lifetimeMs = authority.notAfter.getTime() - authority.notBefore.getTime();
  if (authority.notAfter.getTime() - now.getTime() < lifetimeMs / 3) {
    const ca = await newAuthority(now);
    return { state: { ca, previousCa: state.ca.certificate, leaf: state.leaf }, changed: true };
  }
  if (isAnnouncing(state, authority, now)) return { state, changed: false };
  const decision = decideRenewal({
    existing: state.leaf,
    wanted: leafRequest(names),
    authorityCertificate: authority,
    now,
  });
  if (!decision.renew) return { state, changed: false };
  return { state: { ...state, leaf: await newLeaf(state.ca, names, now) }, changed: true };
}

/** True while a certificate of the previous authority is still good and the new authority may be unknown to some client. */
function isAnnouncing(state: ServingState, authority: InspectedCertificate, now: Date): boolean {
  if (state.previousCa === '' || now.getTime() - authority.notBefore.getTime() >= ANNOUNCEMENT_MS) return false;
  const leaf = parseCertificate(state.leaf.certificate);
  return leaf.notAfter > now && isIssuedBy(leaf, parseCertificate(state.previousCa));
}

const newAuthority = (now: Date): Promise<CertificateAndKey> =>
  createCertificateAuthority({
    subject: { commonName: `kamaji-serving-ca-${Math.floor(now.getTime() / 1000)}` },
    now,
    lifetimeMs: CA_LIFETIME_MS,
  });

const leafRequest = (names: readonly string[]) => ({
  subject: { commonName: names[0] ?? 'kamaji' },
  usages: ['server'] as const,
  names,
  lifetimeMs: CERTIFICATE_LIFETIME_MS,
});

const newLeaf = (ca: CertificateAndKey, names: readonly string[], now: Date): Promise<CertificateAndKey> =>
  issueCertificate(openAuthority(ca), leafRequest(names), now);

/** Undefined when there is none or it is damaged: then a new start is the cure, since clients learn the new CA from us. */
function readState(secret: Secret | undefined): ServingState | undefined {
  const text = (key: string): string => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
  const ca = { certificate: text('ca.crt'), key: text('ca.key') };
  const leaf = { certificate: text('tls.crt'), key: text('tls.key') };
  if ([ca.certificate, ca.key, leaf.certificate, leaf.key].includes('')) return undefined;
  try {
    openAuthority(ca);
    parseCertificate(leaf.certificate);
    const previousCa = text('previous-ca.crt');
    if (previousCa !== '') parseCertificate(previousCa);
    return { ca, previousCa, leaf };
  } catch (error) {
    if (error instanceof PkiError) return undefined;
    throw error;
  }
}

async function write(
  options: ServingCertificateOptions,
  old: Secret | undefined,
  state: ServingState,
  signal: AbortSignal,
): Promise<void> {
  const { adminClient, namespace, secretName: name } = options;
  const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace,
      labels: { 'app.kubernetes.io/name': 'kamaji', 'app.kubernetes.io/component': 'serving-certificate' },
      ...(old?.metadata.resourceVersion === undefined ? {} : { resourceVersion: old.metadata.resourceVersion }),
    },
    data: {
      'ca.crt': base64(state.ca.certificate),
      'ca.key': base64(state.ca.key),
      'previous-ca.crt': base64(state.previousCa),
      'tls.crt': base64(state.leaf.certificate),
      'tls.key': base64(state.leaf.key),
    },
  };
  if (old === undefined) await adminClient.create(SECRETS, secret, { signal });
  else await adminClient.update(SECRETS, secret, { signal });
}
