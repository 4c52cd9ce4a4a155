import { LRUCache } from 'lru-cache';
import type { KubeObject } from '../../../apimachinery/object.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Lister } from '../../../kubeclient/informer.ts';
import { objectKey, keyOf } from '../../../kubeclient/store.ts';

/** As long as the applier takes it that a cache may lag. After that it sends again, and tells what is there. */
const REMEMBER_MS = 60_000;
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
    const perf = { now: () => clock.monotonic() };
    this.#written = new LRUCache({ max: MAX_REMEMBERED, ttl: REMEMBER_MS, ttlResolution: 0, perf });
  }

  /** Passes over what has its metadata alone: to take it for the whole would be to see a Secret without its keys. */
  remember(object: T): void {
    if (hasMetadataAlone(object)) return;
    const { namespace = '', name = '' } = object.metadata;
    const cached = this.#lister.get(namespace, name);
    const isCached = cached !== undefined && revisionOf(cached) >= revisionOf(object);
    if (isCached) this.#written.delete(keyOf(namespace, name));
    else this.#written.set(keyOf(namespace, name), object);
  }

  /** The watch told that this very object was deleted; one made anew under its name stays. */
  forget(object: KubeObject): void {
    const key = objectKey(object);
    if (this.#written.peek(key)?.metadata.uid === object.metadata.uid) this.#written.delete(key);
  }

  get(namespace: string, name: string): T | undefined {
    const cached = this.#lister.get(namespace, name);
    const written = this.#written.get(keyOf(namespace, name));
    if (written === undefined) return cached;
    if (cached === undefined) return written;
    return revisionOf(written) > revisionOf(cached) ? written : cached;
  }
}

function hasMetadataAlone(object: KubeObject): boolean {
  return Object.keys(object).every((key) => key === 'apiVersion' || key === 'kind' || key === 'metadata');
}

/** resourceVersions of one resource can be compared (k8s.io/apimachinery/pkg/util/resourceversion). */
function revisionOf(object: KubeObject): bigint {
  return BigInt(object.metadata.resourceVersion ?? '0');
}
