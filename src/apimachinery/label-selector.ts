import { formatFieldError, invalidValue } from './field-error.ts';
import { checkLabelValue, checkQualifiedName } from './names.ts';

/** Label selectors as strings. Grammar and messages: k8s.io/apimachinery/pkg/labels/selector.go. */

type Operator = 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

export interface LabelSelector {
  readonly empty: boolean;
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
}

/** The message goes to the client. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

const symbols: ReadonlySet<string> = new Set(['=', '!', '(', ')', ',', '>', '<']);
const tokens: ReadonlySet<string> = new Set([')', ',', '!', '==', '=', '>', 'in', '<', '!=', 'notin', '(']);

interface Token {
  /** `id` for keys and values, `end`, `error`, or the operator itself. */
  readonly kind: string;
  readonly text: string;
}

function scan(text: string): readonly Token[] {
  const found: Token[] = [];
  let pos = 0;
  while (pos < text.length) {
    if (/[ \t\r\n]/.test(text[pos]!)) {
      pos++;
    } else if (symbols.has(text[pos]!)) {
      const [token, next] = scanSymbol(text, pos);
      found.push(token);
      pos = next;
    } else {
      const start = pos;
      while (pos < text.length && !symbols.has(text[pos]!) && !/[ \t\r\n]/.test(text[pos]!)) pos++;
      const word = text.slice(start, pos);
      found.push({ kind: tokens.has(word) ? word : 'id', text: word });
    }
  }
  return [...found, { kind: 'end', text: '' }];
}

function scanSymbol(text: string, start: number): readonly [Token, number] {
  const two = text.slice(start, start + 2);
  if (tokens.has(two) && two.length === 2) return [{ kind: two, text: two }, start + 2];
  const one = text[start]!;
  if (tokens.has(one)) return [{ kind: one, text: one }, start + 1];
  return [{ kind: 'error', text: `error expected: keyword found '${one}'` }, start + 1];
}

class Parser {
  readonly #tokens: readonly Token[];
  #pos = 0;

  constructor(text: string) {
    this.#tokens = scan(text);
  }

  parse(): readonly Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') return requirements;
      if (token.kind !== 'id' && token.kind !== '!') {
        throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      const after = this.#take();
      if (after.kind === 'end') return requirements;
      if (after.kind !== ',') throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`);
      const next = this.#peek();
      if (next.kind !== 'id' && next.kind !== '!')
        throw new SelectorError(`found '${next.text}', expected: identifier after ','`);
    }
  }

  #requirement(): Requirement {
    try {
      return this.#parseRequirement();
    } catch (error) {
      if (error instanceof SelectorError)
        throw new SelectorError(`unable to parse requirement: ${error.message}`, { cause: error });
      throw error;
    }
  }

  #parseRequirement(): Requirement {
    let token = this.#take();
    const negated = token.kind === '!';
    if (negated) token = this.#take();
    if (token.kind !== 'id') throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    checkKey(key);
    const next = this.#peek();
    if (next.kind === 'end' || next.kind === ',') return { key, operator: negated ? '!' : 'exists', values: [] };
    if (negated) return { key, operator: '!', values: [] };
    const [operator, values] = this.#restriction();
    for (const [index, value] of values.entries()) checkValue(key, value, index, operator);
    return { key, operator, values };
  }

  #restriction(): readonly [Operator, readonly string[]] {
    const token = this.#take(false);
    switch (token.kind) {
      case 'in':
        return ['in', this.#set()];
      case 'notin':
        return ['notin', this.#set()];
      case '=':
      case '==':
        return ['in', [this.#exact()]];
      case '!=':
        return ['notin', [this.#exact()]];
      case '>':
        return ['gt', [this.#exact()]];
      case '<':
        return ['lt', [this.#exact()]];
      default:
        throw new SelectorError(`found '${token.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  #exact(): string {
    const next = this.#peek();
    if (next.kind === 'end' || next.kind === ',') return '';
    const token = this.#take();
    if (token.kind !== 'id') throw new SelectorError(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  #set(): readonly string[] {
    const open = this.#take();
    if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    let expectValue = true;
    for (;;) {
      const token = this.#take();
      if (token.kind === 'id' && expectValue) {
        values.add(token.text);
        expectValue = false;
      } else if (token.kind === ',' || token.kind === ')') {
        // An empty place between commas stands for the empty string.
        if (expectValue) values.add('');
        if (token.kind === ')') return [...values].sort();
        expectValue = true;
      } else {
        const expected = expectValue ? "',', or identifier" : "',' or ')'";
        throw new SelectorError(`found '${token.text}', expected: ${expected}`);
      }
    }
  }

  #peek(): Token {
    return asValue(this.#at());
  }

  /** Behind the end there is only the end. */
  #at(): Token {
    return this.#tokens[Math.min(this.#pos, this.#tokens.length - 1)]!;
  }

  /** `wordsAreValues`: `in` and `notin` count as identifiers here. */
  #take(wordsAreValues = true): Token {
    const token = this.#at();
    this.#pos++;
    return wordsAreValues ? asValue(token) : token;
  }
}

function asValue(token: Token): Token {
  return token.kind === 'in' || token.kind === 'notin' ? { kind: 'id', text: token.text } : token;
}

function checkKey(key: string): void {
  const complaints = checkQualifiedName(key);
  if (complaints.length > 0)
    throw new SelectorError(formatFieldError(invalidValue('<nil>', key, complaints.join('; '))));
}

function checkValue(key: string, value: string, index: number, operator: Operator): void {
  if ((operator === 'gt' || operator === 'lt') && !/^[+-]?\d{1,18}$/.test(value)) {
    const detail = "for 'Gt', 'Lt' operators, the value must be an integer";
    throw new SelectorError(formatFieldError(invalidValue(`values[${index}]`, value, detail)));
  }
  const complaints = checkLabelValue(value);
  if (complaints.length > 0) {
    throw new SelectorError(formatFieldError(invalidValue(`values[${index}][${key}]`, value, complaints.join('; '))));
  }
}

function meets(requirement: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  const { operator } = requirement;
  switch (operator) {
    case 'in':
      return value !== undefined && requirement.values.includes(value);
    case 'notin':
      return value === undefined || !requirement.values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    default: {
      if (value === undefined || !/^[+-]?\d{1,18}$/.test(value)) return false;
      const [actual, bound] = [BigInt(value), BigInt(requirement.values[0]!)];
      return operator === 'gt' ? actual > bound : actual < bound;
    }
  }
}

const noLabels: Readonly<Record<string, string>> = {};

/** @throws SelectorError */
export function parseLabelSelector(text: string): LabelSelector {
  const requirements = new Parser(text).parse();
  return {
    empty: requirements.length === 0,
    matches: (labels) => requirements.every((requirement) => meets(requirement, labels ?? noLabels)),
  };
}
