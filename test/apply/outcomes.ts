import { deepEqual } from '../../src/apimachinery/json.ts';
import type { ManagedFieldsEntry } from '../../src/apimachinery/object.ts';
import type { Played } from './generate.ts';

/** How often the sequences came to what they are made to come to: a judge that nothing happens before has no weight. */
export class Outcomes {
  readonly counts = new Map<string, number>();

  add({ sequence, results, lives }: Played): void {
    for (const [at, write] of sequence.writes.entries()) {
      const live = lives[at];
      const { object, status } = results[at]!;
      const where = write.subresource === '' ? 'main' : write.subresource;
      this.#count(`${write.verb} ${where}`);
      if (live === undefined && object !== undefined) this.#count(`create by ${write.verb}`);
      if (status !== undefined) {
        this.#count(`status ${status.code}`);
        if ((status.details?.causes ?? []).length > 1) this.#count('several conflicts');
        continue;
      }
      if (object === undefined) continue;
      const entries =
        ((object['metadata'] ?? {}) as { managedFields?: readonly ManagedFieldsEntry[] }).managedFields ?? [];
      if (entries.length === 0) this.#count('nobody owns');
      if (entries.length > 2) this.#count('three managers and more');
      if (entries.some(({ manager }) => manager === 'ancient-changes')) this.#count('ancient changes');
      if (entries.some(({ manager }) => manager === 'before-first-apply')) this.#count('before first apply');
      if (write.verb === 'apply' && live !== undefined) this.#countApply(live, object, write.force);
    }
  }

  #countApply(live: object, object: object, force: boolean): void {
    const [before, after] = [bare(live), bare(object)];
    if (deepEqual(before, after)) this.#count('apply changed nothing');
    else if (leaves(after) < leaves(before)) this.#count('apply removed something');
    else this.#count(force ? 'apply by force' : 'apply without force');
  }

  #count(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
  }
}

function bare(object: object): object {
  const { metadata, ...rest } = object as { readonly metadata?: { readonly managedFields?: unknown } };
  const { managedFields: _owners, ...meta } = metadata ?? {};
  return { ...rest, metadata: meta };
}

function leaves(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, item: unknown) => sum + leaves(item), 0);
}
