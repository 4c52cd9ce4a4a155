import { createHash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { RawAnswer, RawApi } from '../env/raw-api.ts';
import type { Headers, ParityCase, RequestStep, Step, WatchStep } from './case.ts';
import { PRODUCT_GROUP, RICH_PREFIX, TWIN_GROUP } from './subjects.ts';

export type SideName = 'twin' | 'ours';

/** What one side said to one request. */
export interface Transcript {
  readonly what: string;
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Of a watch: its frames, and whether the server ended the stream. */
  readonly frames?: readonly unknown[];
  readonly ended?: boolean;
}

/** Longest wait for the frames of a watch. */
const FRAMES_MS = 8_000;
/** How long to look for frames beyond those expected. */
const LINGER_MS = 150;

interface SavedMetadata {
  readonly rv: string;
  readonly uid: string;
  readonly continue: string;
  readonly name: string;
  readonly time: string;
}

export interface SideOptions {
  readonly name: SideName;
  readonly api: RawApi;
}

/** Of this run, so that one cluster can be used again. */
const RUN = process.env['PARITY_RUN'] ?? '';

/** The case's own name in the cluster: short enough for a label, and no other case's. */
export function slugOf({ name }: ParityCase): string {
  const words = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 44)
    .replace(/-+$/, '');
  return `p${RUN}-${words}-${createHash('sha256').update(name).digest('hex').slice(0, 6)}`;
}

export function namespaceOf(parityCase: ParityCase): string {
  return parityCase.ownNamespace === true ? slugOf(parityCase) : 'parity';
}

/** Runs the steps of a case against one side and answers what it said. @throws Error when a setup step is refused */
export async function runOnSide(parityCase: ParityCase, side: SideOptions): Promise<readonly Transcript[]> {
  const run = new CaseRun(parityCase, side);
  for (const step of parityCase.steps) await run.step(step);
  return run.transcripts;
}

class CaseRun {
  readonly transcripts: Transcript[] = [];
  readonly #side: SideOptions;
  readonly #words: Readonly<Record<string, string>>;
  readonly #saved = new Map<string, SavedMetadata>();

  constructor(parityCase: ParityCase, side: SideOptions) {
    this.#side = side;
    const group = side.name === 'twin' ? TWIN_GROUP : PRODUCT_GROUP;
    this.#words = { $G: group, $R: RICH_PREFIX + group, $NAME: slugOf(parityCase), $NS: namespaceOf(parityCase) };
  }

  async step(step: Step): Promise<void> {
    await (step.type === 'request' ? this.#request(step) : this.#watch(step));
  }

  async #request(step: RequestStep): Promise<void> {
    const path = this.#filled(step.path);
    const body = this.#body(step.body);
    const request = {
      method: step.method,
      headers: this.#headers(step.headers, body !== undefined),
      ...(body === undefined ? {} : { body }),
    };
    const answer = await this.#side.api.ask(path, request).catch(answerOfNone);
    const text =
      answer.headers['content-encoding'] === 'gzip' ? gunzipSync(answer.bytes).toString('utf8') : answer.text;
    if (step.save !== undefined) this.#saved.set(step.save, metadataIn(text));
    if (step.isSetup === true) {
      if (answer.code >= 300)
        throw new Error(`${this.#side.name}: setup ${step.method} ${path}: ${answer.code} ${answer.text}`);
      return;
    }
    this.transcripts.push({
      what: `${step.method} ${step.path}`,
      code: answer.code,
      headers: joined(answer.headers),
      text,
    });
  }

  async #watch(step: WatchStep): Promise<void> {
    const closed = new AbortController();
    const path = this.#filled(step.path);
    const response = await this.#side.api.open(path, { headers: this.#headers(step.headers, false) }, closed.signal);
    const stream = new Frames(response);
    for (const request of step.during) await this.#request(request);
    await stream.wait(step.frames);
    const { frames, ended } = stream;
    const transcript = { code: response.statusCode ?? 0, headers: joined(response.headers), text: '' };
    this.transcripts.push({ what: `WATCH ${step.path}`, ...transcript, frames: [...frames], ended });
    closed.abort();
  }

  #filled(text: string): string {
    return text
      .replaceAll(/\$\{(\w+)\.(rv|uid|continue|name|time)\}/g, (_all, name: string, field: keyof SavedMetadata) => {
        const found = this.#saved.get(name);
        if (found === undefined) throw new Error(`nothing was saved as ${name}`);
        return found[field];
      })
      .replaceAll(/\$(?:NAME|NS|G|R)(?![A-Za-z])/g, (word) => this.#words[word]!);
  }

  #body(body: unknown): unknown {
    if (body === undefined || body instanceof Buffer) return body;
    return this.#filled(typeof body === 'string' ? body : JSON.stringify(body));
  }

  #headers(given: Headers, hasBody: boolean): string[] | OutgoingHttpHeaders {
    const headers: Record<string, string | string[]> = {
      Accept: 'application/json',
      'User-Agent': 'parity/1.0',
      ...(hasBody ? { 'Content-Type': 'application/json' } : {}),
    };
    for (const [name, value] of Object.entries(given)) {
      if (value === null) delete headers[name];
      else headers[name] = typeof value === 'string' ? this.#filled(value) : value.map((one) => this.#filled(one));
    }
    return headers;
  }
}

/** The lines of a stream as they come: parsed where they are JSON. */
class Frames {
  readonly frames: unknown[] = [];
  ended = false;
  readonly #end: Promise<void>;

  constructor(response: IncomingMessage) {
    this.#end = this.#collect(response);
  }

  /** For so many frames, and for more that should not come; without a number for the end of the stream. */
  async wait(count: number | undefined): Promise<void> {
    const enough = count ?? Number.POSITIVE_INFINITY;
    const deadline = Date.now() + (count === undefined ? 2 * FRAMES_MS : FRAMES_MS);
    while (!this.ended && this.frames.length < enough && Date.now() < deadline) {
      await Promise.race([this.#end, pause(10)]);
    }
    if (!this.ended) await Promise.race([this.#end, pause(LINGER_MS)]);
  }

  async #collect(response: IncomingMessage): Promise<void> {
    let rest = '';
    try {
      for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        this.frames.push(...lines.map(parsedLine));
      }
      if (rest !== '') this.frames.push(parsedLine(rest));
      this.ended = true;
    } catch (error) {
      // Closed by this side when it had seen enough.
      if (!(error instanceof Error && 'code' in error && error.code === 'ABORT_ERR')) throw error;
    }
  }
}

function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return line;
    throw error;
  }
}

/** A server that hangs up instead of answering is told like an answer. */
function answerOfNone(error: unknown): RawAnswer {
  if (!(error instanceof Error && 'code' in error && error.code === 'ECONNRESET')) throw error;
  const text = 'the connection was closed without an answer';
  return { code: 0, headers: {}, text, bytes: Buffer.from(text), json: () => undefined };
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(', ')]],
    ),
  );
}

function metadataIn(text: string): SavedMetadata {
  let metadata: Readonly<Record<string, string | undefined>> = {};
  try {
    metadata = (JSON.parse(text) as { metadata?: Record<string, string> }).metadata ?? {};
  } catch (error) {
    // What is no JSON has no metadata to remember, and will show as a difference where it should have been.
    if (!(error instanceof SyntaxError)) throw error;
  }
  return {
    rv: metadata['resourceVersion'] ?? '',
    uid: metadata['uid'] ?? '',
    continue: metadata['continue'] ?? '',
    name: metadata['name'] ?? '',
    time: metadata['creationTimestamp'] ?? '',
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((wake) => {
    setTimeout(wake, ms);
  });
}
