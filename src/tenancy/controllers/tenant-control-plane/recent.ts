import { LRUCache } from 'lru-cache';
import type { KubeObject } from '../../../apimachinery/object.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Lister } from '../../../kubeclient/informer.ts';
import { keyOf } from '../../../kubeclient/store.ts';

/** A cache that has not seen our own write after so long will not matter any more. */
const REMEMBER_MS = 15_000;
const MAX_REMEMBERED = 20_000;

/**
 * A lister that never answers something older than what we wrote ourselves. Without it a second pass could run before the
 * watch has told of the first one's Secrets, issue every certificate again and roll the control plane.
 */
export class RecentWrites<T extends KubeObject> {
  readonly #lister: Lister<T>;
  readonly #written: LRUCache<string, T>;

  constructor(lister: Lister<T>, clock: Clock) {
    this.#lister = lister;
    this.#written = new LRUCache({ max: MAX_REMEMBERED, ttl: REMEMBER_MS, perf: { now: () => clock.monotonic() } });
  }

  remember(object: T): void {
    this.#written.set(keyOf(object.metadata.namespace, object.metadata.name ?? ''), object);
  }

  forget(namespace: string, name: string): void {
    this.#written.delete(keyOf(namespace, name));
  }

  get(namespace: string, name: string): T | undefined {
    const cached = this.#lister.get(namespace, name);
    const written = this.#written.get(keyOf(namespace, name));
    if (written === undefined) return cached;
    if (cached === undefined) return written;
    return revisionOf(written) > revisionOf(cached) ? written : cached;
  }
}

/** resourceVersions of one resource can be compared (k8s.io/apimachinery/pkg/util/resourceversion). */
function revisionOf(object: KubeObject): bigint {
  return BigInt(object.metadata.resourceVersion ?? '0');
}
