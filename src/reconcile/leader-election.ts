import type { Random } from '../base/backoff.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { abortReason, withDeadline } from '../base/deadline.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kubeclient/api-error.ts';
import type { KubeClient } from '../kubeclient/client.ts';
import type { Lease } from '../kubeclient/kinds.ts';
import { LEASES } from '../kubeclient/resources.ts';

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Of this process, unique among all that ever compete: pod name and something random. */
  readonly identity: string;
  /** The work of the leader. Its signal aborts when the lease is lost or the process stops; it must return soon then. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  /** How long a lease holds without renewal. Default 15,000. */
  readonly leaseDurationMs?: number | undefined;
  /** How long to try to renew before giving up, less than `leaseDurationMs`. Default 10,000. */
  readonly renewDeadlineMs?: number | undefined;
  /** Default 2,000. */
  readonly retryPeriodMs?: number | undefined;
}

/** The lease went to somebody else, or could not be renewed in time. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
  /** The work had not ended when the lease may have expired: only the end of the process stops it for certain. */
  stillWorking = false;
}

/**
 * Leads whenever it is elected, until `signal` aborts; what else the process does goes on while it does not lead.
 * @throws LeadershipLostError when the work would not end, or what `lead` throws
 */
export async function leadWhileElected(options: LeaderElectionOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await runLeaderElection(options, signal);
      if (!signal.aborted) throw new Error('the work of the leader ended by itself');
    } catch (error) {
      if (!(error instanceof LeadershipLostError) || error.stillWorking) throw error;
      options.log.warn('no longer the leader', { error });
    }
  }
}

/**
 * Waits until this process holds the Lease, leads while it does, and gives it back when `signal` aborts or `lead` returned.
 * The rules are client-go's (tools/leaderelection/leaderelection.go): expiry is judged by our own clock from when we saw the last change, so
 * that clocks need not agree. @throws LeadershipLostError, or what `lead` throws.
 */
export async function runLeaderElection(options: LeaderElectionOptions, signal: AbortSignal): Promise<void> {
  const election = new Election(options);
  if (!(await election.acquire(signal))) return;
  await election.lead(signal);
}

class Election {
  readonly #options: LeaderElectionOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #report: (leading: boolean) => void;
  /** The Lease as last seen, and when it last changed, by our clock. */
  #seen: Lease | undefined;
  #changedMs = 0;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#log = options.log.child({ lease: `${options.namespace}/${options.name}`, identity: options.identity });
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
    if (!(this.#retryPeriodMs * 1.2 < this.#renewDeadlineMs && this.#renewDeadlineMs < this.#leaseDurationMs)) {
      throw new RangeError('leader election needs retryPeriodMs < renewDeadlineMs < leaseDurationMs');
    }
    const gauge = options.metrics?.gauge('leader_election_master_status', 'Whether this process leads.', ['name']);
    this.#report = (leading) => gauge?.set({ name: options.name }, leading ? 1 : 0);
    this.#report(false);
  }

  /** Answers false when the signal aborted first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    let told: string | undefined;
    while (!signal.aborted) {
      try {
        if (await this.#tryHold(signal)) {
          this.#log.info('leading');
          return true;
        }
        const holder = this.#seen?.spec?.holderIdentity;
        if (holder !== told) this.#log.info('waiting for the leader', { holder });
        told = holder;
      } catch (error) {
        if (!signal.aborted) this.#log.warn('cannot read or take the lease', { error });
      }
      await this.#pause(signal);
    }
    return false;
  }

  async lead(signal: AbortSignal): Promise<void> {
    const leading = new AbortController();
    const stop = (): void => leading.abort(abortReason(signal));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    this.#report(true);
    try {
      const work = this.#work(leading.signal);
      const lost = await this.#renewWhile(work, leading.signal);
      this.#report(false);
      if (lost) {
        leading.abort(lost);
        // Whoever comes next waits for the lease to expire, and until then the work has time to end; not longer.
        const graceMs = this.#leaseDurationMs - this.#renewDeadlineMs;
        const ended = work.then(() => true);
        const hasEnded = await Promise.race([ended, this.#clock.sleep(graceMs).then(() => false)]);
        if (!hasEnded && lost instanceof LeadershipLostError) lost.stillWorking = true;
        throw lost;
      }
      const failure = await work;
      await this.#release();
      if (failure !== undefined && !signal.aborted) throw failure.error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Never throws: answers what the work threw. */
  async #work(signal: AbortSignal): Promise<{ readonly error: unknown } | undefined> {
    try {
      await this.#options.lead(signal);
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  /** Renews until the work ended or `signal` aborted, and answers why the lease was lost, if it was. */
  async #renewWhile(work: Promise<unknown>, signal: AbortSignal): Promise<Error | undefined> {
    const ended = new AbortController();
    using renewing = withDeadline([signal, ended.signal], undefined, 'leading');
    const watched = work.finally(() => ended.abort());
    try {
      await this.#renew(renewing.signal);
      await watched;
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** Renews until `signal` aborts. @throws LeadershipLostError */
  async #renew(signal: AbortSignal): Promise<void> {
    let renewedMs = this.#clock.monotonic();
    while (!signal.aborted) {
      await this.#pause(signal);
      if (signal.aborted) return;
      const leftMs = renewedMs + this.#renewDeadlineMs - this.#clock.monotonic();
      try {
        if (leftMs <= 0) throw new LeadershipLostError(`the lease was not renewed within ${this.#renewDeadlineMs} ms`);
        using deadline = withDeadline([signal], leftMs, 'renewing the lease', this.#clock);
        const beganMs = this.#clock.monotonic();
        if (!(await this.#tryHold(deadline.signal))) {
          throw new LeadershipLostError(`the lease went to ${this.#seen?.spec?.holderIdentity ?? 'nobody'}`);
        }
        renewedMs = beganMs;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LeadershipLostError) throw error;
        this.#log.warn('cannot renew the lease', { error });
      }
    }
  }

  /** Takes or renews the Lease. Answers whether we hold it. */
  async #tryHold(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, identity } = this.#options;
    const timeoutMs = this.#renewDeadlineMs / 2;
    const nowMs = this.#clock.now();
    const mine = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
      acquireTime: formatMicroTime(nowMs),
      renewTime: formatMicroTime(nowMs),
      leaseTransitions: 0,
    };
    // Who holds it need not read it first: somebody else's write makes the update a conflict.
    const held = this.#seen?.spec?.holderIdentity === identity ? this.#seen : undefined;
    const lease = held ?? (await client.find(LEASES, namespace, name, { signal, timeoutMs }));
    try {
      if (!lease) {
        const fresh: Lease = {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { namespace, name },
          spec: mine,
        };
        this.#see(await client.create(LEASES, fresh, { signal, timeoutMs }));
        return true;
      }
      this.#see(lease);
      const holder = lease.spec?.holderIdentity ?? '';
      const ours = holder === identity;
      const lastsMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
      if (!ours && holder !== '' && this.#clock.monotonic() < this.#changedMs + lastsMs) return false;
      const transitions = lease.spec?.leaseTransitions ?? 0;
      const spec = ours
        ? { ...mine, acquireTime: lease.spec?.acquireTime ?? mine.acquireTime, leaseTransitions: transitions }
        : { ...mine, leaseTransitions: transitions + 1 };
      this.#see(await client.update(LEASES, { ...lease, spec }, { signal, timeoutMs }));
      return true;
    } catch (error) {
      // Deleted under us: made anew by the next try.
      if (isNotFound(error)) this.#seen = undefined;
      if (!isConflict(error) && !isAlreadyExists(error)) throw error;
      // Another was faster, or touched it: look who holds it now.
      const winner = await client.find(LEASES, namespace, name, { signal, timeoutMs });
      if (winner) this.#see(winner);
      else this.#seen = undefined;
      if (held && (!winner || winner.spec?.holderIdentity === identity)) throw error;
      return false;
    }
  }

  #see(lease: Lease): void {
    if (lease.metadata.resourceVersion !== this.#seen?.metadata.resourceVersion)
      this.#changedMs = this.#clock.monotonic();
    this.#seen = lease;
  }

  /** Gives the Lease back, so that the next leader need not wait for it to expire. */
  async #release(): Promise<void> {
    const lease = this.#seen;
    if (lease?.spec?.holderIdentity !== this.#options.identity) return;
    const spec = {
      ...lease.spec,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: formatMicroTime(this.#clock.now()),
    };
    try {
      await this.#options.client.update(LEASES, { ...lease, spec }, { timeoutMs: 2_000 });
      this.#log.info('gave the lease back');
    } catch (error) {
      this.#log.warn('cannot give the lease back: it will expire', { error });
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const delayMs = this.#retryPeriodMs * (1 + 0.2 * this.#random());
    await this.#clock.sleep(delayMs, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

/** metav1.MicroTime. */
function formatMicroTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 23)}000Z`;
}
