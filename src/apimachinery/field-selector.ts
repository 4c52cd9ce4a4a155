import { SelectorError } from './label-selector.ts';

/** Field selectors as strings. Grammar and messages: k8s.io/apimachinery/pkg/fields/selector.go. */
export interface FieldSelector {
  readonly terms: readonly FieldTerm[];
  readonly empty: boolean;
  /** The value `field` must equal, if the selector demands one. */
  exactMatch(field: string): string | undefined;
  matches(fields: Readonly<Record<string, string>>): boolean;
}

export interface FieldTerm {
  readonly field: string;
  readonly negated: boolean;
  readonly value: string;
}

/** @throws SelectorError */
export function parseFieldSelector(text: string): FieldSelector {
  const terms = splitTerms(text)
    .filter((part) => part !== '')
    .sort()
    .map((part) => parseTerm(part, text));
  return newFieldSelector(terms);
}

export function newFieldSelector(terms: readonly FieldTerm[]): FieldSelector {
  return {
    terms,
    empty: terms.length === 0,
    exactMatch: (field) => terms.find((term) => term.field === field && !term.negated)?.value,
    matches: (fields) =>
      terms.every(
        (term) => ((Object.hasOwn(fields, term.field) ? fields[term.field] : '') === term.value) !== term.negated,
      ),
  };
}

/** Commas behind a backslash belong to the value. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let pos = 0; pos < text.length; pos++) {
    if (text[pos] === '\\') pos++;
    else if (text[pos] === ',') {
      terms.push(text.slice(start, pos));
      start = pos + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function parseTerm(part: string, whole: string): FieldTerm {
  const found = /(!=|==|=)/.exec(part);
  if (found === null) throw new SelectorError(`invalid selector: '${whole}'; can't understand '${part}'`);
  const operator = found[0];
  return {
    field: part.slice(0, found.index),
    negated: operator === '!=',
    value: unescapeValue(part.slice(found.index + operator.length)),
  };
}

function unescapeValue(text: string): string {
  let value = '';
  for (let pos = 0; pos < text.length; pos++) {
    const char = text[pos]!;
    if (char === '\\') {
      pos++;
      const escaped = text[pos];
      if (escaped === undefined || !'\\,='.includes(escaped)) {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${escaped ?? ''}`);
      }
      value += escaped;
    } else if (char === ',' || char === '=') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    } else {
      value += char;
    }
  }
  return value;
}
