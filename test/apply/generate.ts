import { valueAt } from '../../src/apimachinery/json.ts';
import type { Json, JsonObject, KubeObject } from '../../src/apimachinery/object.ts';
import type { Schema } from '../../src/apimachinery/schema/schema.ts';
import { withDoubles, withFault } from './faults.ts';
import { OurSide } from './our-side.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { sentRecord } from './records.ts';
import { subjects } from './subjects.ts';
import type { Subject } from './subjects.ts';
import { changedValue, randomValue } from './values.ts';
import type { Result, Sequence, Write } from './writes.ts';

const appliers = ['alice', 'bob', 'carol', 'kubectl'];
const updaters = ['alice', 'kubectl-edit', 'controller', 'a"<b>', '', 'before-first-apply', 'aaa'];
const crowd = Array.from({ length: 14 }, (_, at) => `updater-${at}`);
const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
const firstSecond = Date.UTC(2001, 0, 1) / 1000;

/** A random sequence and what our side made of it. */
export interface Played {
  readonly sequence: Sequence;
  readonly results: readonly Result[];
  /** What was stored before each write. */
  readonly lives: readonly (KubeObject | undefined)[];
}

/** `start`: seconds after which the clock of the sequence runs. */
export function playRandom(seed: number, length: number, start: number): Played {
  const random = new SeededRandom(seed);
  const crd = random.chance(0.6) ? 'stress' : random.pick(Object.keys(subjects));
  const subject = subjects[crd]!;
  const generator = new WriteGenerator(random, subject);
  const createdAt = timeOf(start);
  const played = { writes: [] as Write[], results: [] as Result[], lives: [] as (KubeObject | undefined)[] };
  const side = new OurSide(subject);
  let live: KubeObject | undefined;
  for (let at = 0; at < length; at++) {
    const write = generator.next(live, timeOf(start + at - (at % 3)));
    played.writes.push(write);
    played.lives.push(live);
    const outcome = side.run(write, live, createdAt);
    played.results.push(outcome.result);
    live = outcome.live;
  }
  return { sequence: { crd, createdAt, writes: played.writes }, results: played.results, lives: played.lives };
}

/** Plays given writes again. */
export function replay(sequence: Sequence): Played {
  const side = new OurSide(subjects[sequence.crd]!);
  const results: Result[] = [];
  const lives: (KubeObject | undefined)[] = [];
  let live: KubeObject | undefined;
  for (const write of sequence.writes) {
    lives.push(live);
    const outcome = side.run(write, live, sequence.createdAt);
    results.push(outcome.result);
    live = outcome.live;
  }
  return { sequence, results, lives };
}

export function timeOf(second: number): string {
  return `${new Date((firstSecond + second) * 1000).toISOString().slice(0, 19)}Z`;
}

class WriteGenerator {
  readonly #random: SeededRandom;
  readonly #subject: Subject;
  readonly #apiVersion: string;
  /** Whether many different updaters come along. */
  readonly #isCrowded: boolean;
  readonly #isClientSide: boolean;
  /** A second fault beside it would be told of in any order. */
  #hasStoredFault = false;
  /** What each applied last. */
  readonly #configs = new Map<string, JsonObject>();

  constructor(random: SeededRandom, subject: Subject) {
    this.#random = random;
    this.#subject = subject;
    this.#apiVersion = `${subject.group}/${subject.version}`;
    this.#isCrowded = random.chance(0.15);
    this.#isClientSide = random.chance(0.2);
  }

  next(live: KubeObject | undefined, now: string): Write {
    const random = this.#random;
    const base = { subresource: '', force: false, refused: false, now };
    if (live !== undefined && random.chance(0.02)) return { ...base, verb: 'delete', manager: '' };
    if (live !== undefined && this.#subject.replicas !== undefined && random.chance(0.08)) {
      const replicas = valueAt(live, this.#subject.replicas);
      if (typeof replicas === 'number') {
        const manager = random.pick(['autoscaler', 'alice', 'kubectl-scale']);
        return { ...base, verb: 'scale', subresource: 'scale', replicas: random.below(4), manager };
      }
    }
    const subresource = live !== undefined && this.#subject.hasStatus && random.chance(0.2) ? 'status' : '';
    return random.chance(this.#isCrowded ? 0.2 : 0.55)
      ? this.#apply(live, { ...base, subresource })
      : this.#update(live, { ...base, subresource });
  }

  #update(live: KubeObject | undefined, base: Pick<Write, 'subresource' | 'force' | 'refused' | 'now'>): Write {
    const random = this.#random;
    const { schema } = this.#subject;
    let object = this.#whole(live, base.subresource);
    let refused = false;
    if (random.chance(0.08)) object = withDoubles(random, schema, object);
    if (!this.#hasStoredFault && random.chance(0.03)) {
      object = withFault(random, schema, object) ?? object;
      // Sometimes stored even so, as if the schema had been another then.
      refused = random.chance(0.7);
      this.#hasStoredFault = !refused;
    }
    const record = sentRecord(random, live, this.#apiVersion);
    const { managedFields: _read, ...metadata } = object.metadata;
    object = {
      ...object,
      metadata: { ...metadata, ...(record === undefined ? {} : { managedFields: record }) },
    } as KubeObject;
    const manager = this.#isCrowded && random.chance(0.9) ? random.pick(crowd) : random.pick(updaters);
    return { ...base, verb: 'update', object, manager, refused };
  }

  /** The stored object with changes, or a new one. */
  #whole(live: KubeObject | undefined, subresource: string): KubeObject {
    const random = this.#random;
    const { properties = {} } = this.#subject.schema;
    const object: Record<string, unknown> = live === undefined ? this.#head() : { ...live };
    // Through the main endpoint a status may be sent too; it is not stored then.
    const parts = subresource === 'status' ? ['status'] : random.chance(0.1) ? ['spec', 'status'] : ['spec'];
    for (const part of parts) {
      const partSchema = properties[part];
      if (partSchema === undefined) continue;
      const before = object[part] as Json | undefined;
      if (random.chance(0.1) && live !== undefined) continue;
      object[part] = asPart(
        before === undefined ? randomValue(random, partSchema) : changedValue(random, partSchema, before),
      );
    }
    if (random.chance(0.4) || subresource === 'status') this.#changeMetadata(object as unknown as KubeObject, object);
    return object as unknown as KubeObject;
  }

  #head(): Record<string, unknown> {
    return {
      apiVersion: this.#apiVersion,
      kind: this.#subject.kind,
      metadata: { name: 'x', namespace: 'ns', ...this.#meta() },
    };
  }

  #meta(): JsonObject {
    const random = this.#random;
    const text = () => random.pick(['a', 'b', 'c']);
    return {
      ...(random.chance(0.4) ? { labels: { [text()]: text(), [text()]: text() } } : {}),
      ...(random.chance(0.3) ? { annotations: { [text()]: text() } } : {}),
      ...(random.chance(0.15) ? { finalizers: random.some(['f/a', 'f/b', 'f/c'], 2) } : {}),
      ...(random.chance(0.15)
        ? {
            ownerReferences: random
              .some(['u1', 'u2'], 2)
              .map((uid) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: text(), uid })),
          }
        : {}),
    };
  }

  #changeMetadata(before: KubeObject, object: Record<string, unknown>): void {
    const random = this.#random;
    const metadata: Record<string, unknown> = { ...before.metadata, ...this.#meta() };
    if (random.chance(0.3)) delete metadata[random.pick(['labels', 'annotations', 'finalizers', 'ownerReferences'])];
    if (this.#isClientSide && random.chance(0.5)) {
      const config = random.chance(0.8) ? { ...before, metadata: { name: 'x' } } : { ...this.#head(), spec: {} };
      const text = random.chance(0.1) ? random.pick(['{', '[]', '{"kind":"X"}', '']) : JSON.stringify(config);
      metadata['annotations'] = { ...(metadata['annotations'] as object | undefined), [annotation]: text };
    }
    object['metadata'] = metadata;
  }

  #apply(live: KubeObject | undefined, base: Pick<Write, 'subresource' | 'force' | 'refused' | 'now'>): Write {
    const random = this.#random;
    const { schema } = this.#subject;
    const manager = this.#isClientSide && random.chance(0.5) ? 'kubectl' : random.pick(appliers);
    const config = this.#config(live, manager, base.subresource);
    let object = config as unknown as KubeObject;
    const roll = random.next();
    if (roll < 0.05) object = withFault(random, schema, object) ?? object;
    else if (roll < 0.06) object = { ...object, apiVersion: random.pick(['v1', 'a/b/c', 'other.io/v1', '']) };
    else if (roll < 0.065) object = { ...object, metadata: { ...object.metadata, managedFields: [] } };
    else this.#configs.set(`${manager}/${base.subresource}`, config);
    return { ...base, verb: 'apply', object, manager, force: random.chance(0.5) };
  }

  #config(live: KubeObject | undefined, manager: string, subresource: string): JsonObject {
    const random = this.#random;
    const last = this.#configs.get(`${manager}/${subresource}`);
    if (last !== undefined && random.chance(0.15)) return last;
    const { properties = {} } = this.#subject.schema;
    const parts = subresource === 'status' ? ['status'] : random.chance(0.05) ? ['spec', 'status'] : ['spec'];
    const config: Record<string, Json> = { ...(this.#head() as JsonObject) } as Record<string, Json>;
    for (const part of parts) {
      const partSchema = properties[part];
      if (partSchema === undefined) continue;
      const roll = random.next();
      const from = roll < 0.55 ? last?.[part] : roll < 0.7 ? partOf(live, part) : undefined;
      config[part] = asPart(
        from === undefined ? randomValue(random, partSchema) : changedPart(random, partSchema, from),
      );
    }
    return config;
  }
}

function changedPart(random: SeededRandom, schema: Schema, value: Json): Json {
  return random.chance(0.2) ? value : changedValue(random, schema, value);
}

/** Whole parts are objects: null there would only hide the rest. */
function asPart(value: Json): Json {
  return value === null ? {} : value;
}

function partOf(live: KubeObject | undefined, part: string): Json | undefined {
  return live === undefined ? undefined : valueAt(live, [part]);
}
