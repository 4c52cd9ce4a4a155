import { goQuote } from './go-format.ts';
import { isJsonObject, setOwn } from './json.ts';
import type { MutableJsonObject } from './json.ts';
import type { Json } from './object.ts';

/** A body that cannot be decoded; the message is in the words of Go's encoding/json. */
export class DecodeError extends Error {
  override readonly name: string = 'DecodeError';
}

/** The text is well-formed, but holds a number that no value can be. */
export class NumberError extends DecodeError {
  override readonly name = 'NumberError';
}

/**
 * Nesting deeper than this is refused. Go's decoder goes to 10,000; nothing that Kubernetes stores comes near 100, and a
 * lower limit keeps every recursive walk far from the end of the stack.
 */
export const maxJsonDepth = 500;

const maxDuplicates = 100;

export interface DecodedText {
  readonly value: Json;
  /** Ready findings, such as `duplicate field "spec.replicas"`; at most 100. */
  readonly findings: readonly string[];
}

/**
 * Parses JSON and sees what JSON.parse hides: keys given twice, numbers out of range, nesting without end.
 * Paths of findings are those of sigs.k8s.io/json. @throws DecodeError
 */
export function decodeJson(text: string): DecodedText {
  const findings = new Scanner(text).run();
  const value = JSON.parse(text) as Json;
  return { value: /\\u[dD][89a-fA-F]/.test(text) ? wellFormed(value) : value, findings };
}

/** Half a surrogate pair cannot be written as UTF-8: Go reads it as U+FFFD. */
function wellFormed(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return (value as readonly Json[]).map(wellFormed);
  if (!isJsonObject(value)) return value;
  const result: MutableJsonObject = {};
  for (const key of Object.keys(value)) setOwn(result, key.toWellFormed(), wellFormed(value[key] ?? null));
  return result;
}

interface Frame {
  readonly isArray: boolean;
  readonly keys: Set<string> | undefined;
  /** Key or index being read. */
  at: string | number;
}

/**
 * A number beyond what a double reaches is refused as Go does. So is an integer that a double would change without a word, which Go
 * would keep: up to 2^53 all are exact, and none of those that follow is worth a silent lie. Beyond 64 bits Go takes a double as well.
 * @throws NumberError
 */
export function checkNumber(lexeme: string): void {
  const number = Number(lexeme);
  if (!Number.isFinite(number))
    throw new NumberError(`json: cannot unmarshal number ${lexeme} into Go value of type float64`);
  if (Number.isSafeInteger(number) || !/^-?\d+$/.test(lexeme) || String(number) === lexeme) return;
  const integer = BigInt(lexeme);
  if (BigInt.asIntN(64, integer) === integer) throw new NumberError(`number ${lexeme} cannot be kept exactly`);
}

/** One pass over the text without recursion. Grammar and messages follow Go's encoding/json (scanner.go). */
class Scanner {
  readonly #text: string;
  readonly #stack: Frame[] = [];
  readonly #findings = new Set<string>();
  #pos = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): readonly string[] {
    this.#value();
    while (this.#stack.length > 0) this.#next();
    this.#space();
    if (this.#pos < this.#text.length) this.#fail('after top-level value');
    return [...this.#findings];
  }

  /** Reads a scalar or opens a container. */
  #value(): void {
    this.#space();
    switch (this.#text[this.#pos]) {
      case '{':
        return this.#open({ isArray: false, keys: new Set(), at: '' });
      case '[':
        return this.#open({ isArray: true, keys: undefined, at: 0 });
      case '"':
        this.#string();
        return;
      case 't':
        return this.#literal('true');
      case 'f':
        return this.#literal('false');
      case 'n':
        return this.#literal('null');
      default:
        return this.#number();
    }
  }

  #open(frame: Frame): void {
    if (this.#stack.length >= maxJsonDepth)
      throw new DecodeError(`invalid character '${this.#text[this.#pos]}' exceeded max depth`);
    this.#pos++;
    this.#space();
    const close = frame.isArray ? ']' : '}';
    if (this.#text[this.#pos] === close) {
      this.#pos++;
      return;
    }
    this.#stack.push(frame);
    if (!frame.isArray) this.#key(frame);
    this.#value();
  }

  /** After a value inside a container: a comma and the next value, or the end. */
  #next(): void {
    const frame = this.#stack.at(-1)!;
    this.#space();
    const char = this.#text[this.#pos];
    if (char === (frame.isArray ? ']' : '}')) {
      this.#pos++;
      this.#stack.pop();
      return;
    }
    if (char !== ',') this.#fail(frame.isArray ? 'after array element' : 'after object key:value pair');
    this.#pos++;
    if (frame.isArray) frame.at = (frame.at as number) + 1;
    else this.#key(frame);
    this.#value();
  }

  #key(frame: Frame): void {
    this.#space();
    if (this.#text[this.#pos] !== '"') this.#fail('looking for beginning of object key string');
    const key = this.#string();
    frame.at = key;
    if (frame.keys!.has(key) && this.#findings.size < maxDuplicates)
      this.#findings.add(`duplicate field ${goQuote(this.#path())}`);
    frame.keys!.add(key);
    this.#space();
    if (this.#text[this.#pos] !== ':') this.#fail('after object key');
    this.#pos++;
  }

  #path(): string {
    let path = '';
    for (const frame of this.#stack) {
      if (frame.isArray) path += `[${frame.at}]`;
      else path += path === '' ? frame.at : `.${frame.at}`;
    }
    return path;
  }

  #string(): string {
    const start = this.#pos++;
    let escaped = false;
    for (;;) {
      const code = this.#text.charCodeAt(this.#pos);
      if (Number.isNaN(code)) this.#fail('');
      if (code < 0x20) this.#fail('in string literal');
      this.#pos++;
      if (code === 0x22) break;
      if (code === 0x5c) {
        escaped = true;
        this.#escape();
      }
    }
    const raw = this.#text.slice(start, this.#pos);
    return escaped ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  }

  #escape(): void {
    const char = this.#text[this.#pos];
    if (char === undefined || !'"\\/bfnrtu'.includes(char)) this.#fail('in string escape code');
    this.#pos++;
    if (char !== 'u') return;
    for (let i = 0; i < 4; i++) {
      if (!/[0-9a-fA-F]/.test(this.#text[this.#pos] ?? '')) this.#fail('in \\u hexadecimal character escape');
      this.#pos++;
    }
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.#text[this.#pos] !== word[i]) this.#fail(`in literal ${word} (expecting '${word[i]}')`);
      this.#pos++;
    }
  }

  #number(): void {
    const start = this.#pos;
    if (this.#text[this.#pos] === '-') {
      this.#pos++;
      if (!this.#isDigit()) this.#fail('in numeric literal');
    }
    if (!this.#isDigit()) this.#fail('looking for beginning of value');
    if (this.#text[this.#pos] === '0') this.#pos++;
    else this.#digits();
    if (this.#text[this.#pos] === '.') {
      this.#pos++;
      if (!this.#isDigit()) this.#fail('after decimal point in numeric literal');
      this.#digits();
    }
    if (this.#text[this.#pos] === 'e' || this.#text[this.#pos] === 'E') {
      this.#pos++;
      if (this.#text[this.#pos] === '+' || this.#text[this.#pos] === '-') this.#pos++;
      if (!this.#isDigit()) this.#fail('in exponent of numeric literal');
      this.#digits();
    }
    const lexeme = this.#text.slice(start, this.#pos);
    checkNumber(lexeme);
  }

  #isDigit(): boolean {
    const code = this.#text.charCodeAt(this.#pos);
    return code >= 0x30 && code <= 0x39;
  }

  #digits(): void {
    while (this.#isDigit()) this.#pos++;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#pos);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#pos++;
    }
  }

  #fail(context: string): never {
    if (this.#pos >= this.#text.length) throw new DecodeError('unexpected end of JSON input');
    // Go looks at bytes.
    const char = String.fromCodePoint(Buffer.from(this.#text.slice(this.#pos, this.#pos + 2))[0] ?? 0);
    const shown = char === "'" ? `'\\''` : char === '"' ? `'"'` : `'${goQuote(char).slice(1, -1)}'`;
    throw new DecodeError(`invalid character ${shown} ${context}`);
  }
}
