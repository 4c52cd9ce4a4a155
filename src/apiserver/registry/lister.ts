import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { newBadRequest, newResourceVersionTooLarge } from '../../apimachinery/status.ts';
import type { ListOptions } from '../options.ts';
import type { ListResult, Storage } from '../storage/storage.ts';
import { knownLabels, Stored } from './codec.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import { collectionPrefix, objectKey, isImpossibleName } from './keys.ts';
import type { Resource } from './resource.ts';
import { matchesKey, matchesLabels, selectsAll } from './selection.ts';
import type { Selection } from './selection.ts';
import { toReadError } from './storage-errors.ts';

export interface ListPage {
  readonly items: readonly Stored[];
  readonly revision: number;
  readonly continueToken: string | undefined;
  readonly remaining: number | undefined;
}

/** How long a read waits for a revision that is not there yet; k8s.io/apiserver/pkg/storage/cacher, blockTimeout. */
const freshnessTimeoutMs = 3_000;
const freshnessPollMs = 50;
const maxUint64 = '18446744073709551615';
/** Fewest items fetched at a time where a selector will drop some of them. */
const filteredChunk = 500;
/** Items whose labels are known that are looked at before others get a turn. */
const turn = 5_000;
/** What has to be unpacked to know its labels takes as long as so many others. */
const unknownItem = 50;

/**
 * Decimal revision of a request; undefined for "" and "0". What no storage can ever reach, up to the largest uint64, is the largest
 * revision there can be. @throws StatusError (400)
 */
export function parseRevision(text: string): number | undefined {
  if (text === '' || text === '0') return undefined;
  const number = Number(text);
  if (!/^\d+$/.test(text)) {
    throw newBadRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  const digits = text.replace(/^0+/, '');
  if (digits.length > maxUint64.length || (digits.length === maxUint64.length && digits > maxUint64)) {
    throw newBadRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`,
    );
  }
  return number === 0 ? undefined : Math.min(number, Number.MAX_SAFE_INTEGER);
}

/** Waits until the storage has reached `revision`. @throws StatusError (504) when it does not get there in time. */
async function waitForRevision(
  storage: Storage,
  clock: Clock,
  revision: number,
  asked: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonic() + freshnessTimeoutMs;
  for (;;) {
    const current = await storage.currentRevision();
    if (current >= revision) return;
    if (clock.monotonic() >= deadline) throw newResourceVersionTooLarge(asked, current);
    await clock.sleep(freshnessPollMs, signal);
  }
}

/** Lists a collection by the rules of resourceVersion, limit and continue. */
export class Lister {
  readonly #storage: Storage;
  readonly #clock: Clock;

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** Waits until `revision`, in the words of the request `asked`, has been written. @throws StatusError (504) */
  reach(revision: number, asked: string, signal: AbortSignal): Promise<void> {
    return waitForRevision(this.#storage, this.#clock, revision, asked, signal);
  }

  /** @throws StatusError (400, 410, 504) */
  async list(resource: Resource, selection: Selection, options: ListOptions, signal: AbortSignal): Promise<ListPage> {
    const single = singleKey(resource, selection);
    const prefix = single ?? collectionPrefix(resource, selection.namespace);
    const start = await this.#start(prefix, options, signal);
    try {
      // Whatever is at hand comes whole, as from kube-apiserver's cache (storage/cacher, shouldDelegateList).
      const limit = options.resourceVersion === '0' ? 0 : options.limit;
      return await this.#page(resource, selection, { ...start, prefix, single, limit });
    } catch (error) {
      const restart =
        options.continueToken === ''
          ? undefined
          : encodeContinue({ revision: -1, afterKey: start.afterKey?.slice(prefix.length) ?? '' });
      throw toReadError(error, start.atRevision ?? 0, restart);
    }
  }

  async #start(prefix: string, options: ListOptions, signal: AbortSignal): Promise<Start> {
    if (options.continueToken !== '') {
      const token = decodeContinue(options.continueToken);
      if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
        throw newBadRequest('specifying resource version is not allowed when using continue');
      }
      return { afterKey: prefix + token.afterKey, atRevision: token.revision > 0 ? token.revision : undefined };
    }
    const revision = parseRevision(options.resourceVersion);
    if (revision === undefined) {
      // "0": whatever is at hand. Nothing: the newest.
      const minRevision = options.resourceVersion === '' ? undefined : 0;
      return { afterKey: undefined, atRevision: undefined, minRevision };
    }
    await this.reach(revision, options.resourceVersion, signal);
    const exact =
      options.resourceVersionMatch === 'Exact' || (options.resourceVersionMatch === '' && options.limit > 0);
    return { afterKey: undefined, atRevision: exact ? revision : undefined, minRevision: revision };
  }

  async #page(resource: Resource, selection: Selection, scan: Scan): Promise<ListPage> {
    const { limit, prefix } = scan;
    const everything = selectsAll(selection);
    const items: Stored[] = [];
    let work = 0;
    let { afterKey, atRevision } = scan;
    for (;;) {
      const chunk = limit === 0 ? 0 : everything ? limit : Math.max(limit, filteredChunk);
      const page: ListResult = await this.#storage.list(prefix, {
        limit: scan.single === undefined ? chunk : 1,
        ...(afterKey === undefined ? {} : { afterKey }),
        ...(atRevision === undefined ? {} : { atRevision }),
        ...(scan.minRevision === undefined ? {} : { minRevision: scan.minRevision }),
      });
      for (let index = 0; index < page.items.length; index++) {
        const item = page.items[index]!;
        if (scan.single !== undefined && item.key !== scan.single) continue;
        if (!everything) {
          const labels = knownLabels(item);
          work += labels === undefined ? unknownItem : 1;
          if (work > turn) {
            work = 0;
            await setImmediate();
          }
          if (!matchesKey(resource, selection, item.key)) continue;
          if (!matchesLabels(selection, labels === undefined ? Stored.of(item) : { labels })) continue;
        }
        items.push(Stored.of(item));
        const behind = page.items.length - index - 1 + page.remaining;
        if (items.length === limit && behind > 0 && scan.single === undefined) {
          const token = encodeContinue({ revision: page.revision, afterKey: item.key.slice(prefix.length) });
          return { items, revision: page.revision, continueToken: token, remaining: everything ? behind : undefined };
        }
      }
      const last = page.items.at(-1);
      if (page.remaining === 0 || last === undefined || scan.single !== undefined) {
        return { items, revision: page.revision, continueToken: undefined, remaining: undefined };
      }
      afterKey = last.key;
      // All chunks of one answer are as of one revision.
      atRevision = page.revision;
    }
  }
}

interface Start {
  readonly afterKey: string | undefined;
  readonly atRevision: number | undefined;
  /** The answer may be as old as this revision; undefined: it must be the newest. */
  readonly minRevision?: number | undefined;
}

interface Scan extends Start {
  readonly prefix: string;
  readonly single: string | undefined;
  readonly limit: number;
}

/** The key of the one object the field selector names, if it names one. */
export function singleKey(resource: Resource, selection: Selection): string | undefined {
  const name = selection.fields.exactMatch('metadata.name');
  if (name === undefined || name === '' || isImpossibleName(name)) return undefined;
  const namespace = selection.namespace || selection.fields.exactMatch('metadata.namespace') || '';
  if (resource.definition.namespaced && (namespace === '' || isImpossibleName(namespace))) return undefined;
  return objectKey(resource, namespace, name);
}
