/**
 * Rules for names, label keys and values, with apimachinery's texts
 * (k8s.io/apimachinery/pkg/api/validate/content, pkg/util/validation). Each answers the list of complaints, empty when fine.
 */

const label1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain1123 = `${label1123}(\\.${label1123})*`;
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const labelKey = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${labelKey})?`;

const label1123Pattern = new RegExp(`^${label1123}$`);
const subdomain1123Pattern = new RegExp(`^${subdomain1123}$`);
const label1035Pattern = new RegExp(`^${label1035}$`);
const labelKeyPattern = new RegExp(`^${labelKey}$`);
const labelValuePattern = new RegExp(`^${labelValue}$`);

/** Names of objects and what belongs to label keys and values come from two packages, with two words. */
function maxLength(length: number, unit: 'bytes' | 'characters' = 'bytes'): string {
  return `must be no more than ${length} ${unit}`;
}

/** apimachinery's RegexError. */
function patternMismatch(text: string, pattern: string, ...examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${text} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

function byteLength(value: string): number {
  return Buffer.byteLength(value);
}

export function checkSubdomain1123(value: string, unit: 'bytes' | 'characters' = 'characters'): readonly string[] {
  const complaints: string[] = [];
  if (byteLength(value) > 253) complaints.push(maxLength(253, unit));
  if (!subdomain1123Pattern.test(value)) {
    const text =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
    complaints.push(patternMismatch(text, subdomain1123, 'example.com'));
  }
  return complaints;
}

export function checkLabel1123(value: string): readonly string[] {
  const complaints: string[] = [];
  if (byteLength(value) > 63) complaints.push(maxLength(63, 'characters'));
  if (label1123Pattern.test(value)) return complaints;
  if (subdomain1123Pattern.test(value)) return [...complaints, 'must not contain dots'];
  const text =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...complaints, patternMismatch(text, label1123, 'my-name', '123-abc')];
}

export function checkLabel1035(value: string): readonly string[] {
  const complaints: string[] = [];
  if (byteLength(value) > 63) complaints.push(maxLength(63, 'characters'));
  if (!label1035Pattern.test(value)) {
    const text =
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
    complaints.push(patternMismatch(text, label1035, 'my-name', 'abc-123'));
  }
  return complaints;
}

/** Also the rule for finalizers and, lower-cased, annotation keys. */
export function checkQualifiedName(value: string): readonly string[] {
  const text =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const mismatch = (): string => patternMismatch(text, labelKey, 'MyName', 'my.name', '123-abc');
  const parts = value.split('/', 3);
  if (parts.length > 2) {
    return [
      `a valid label key ${mismatch()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const complaints: string[] = [];
  const name = parts.at(-1) ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') complaints.push('prefix part must be non-empty');
    else complaints.push(...checkSubdomain1123(prefix, 'bytes').map((complaint) => `prefix part ${complaint}`));
  }
  if (name === '') complaints.push('name part must be non-empty');
  else if (byteLength(name) > 63) complaints.push(`name part ${maxLength(63)}`);
  if (!labelKeyPattern.test(name)) complaints.push(`name part ${mismatch()}`);
  return complaints;
}

export function checkLabelValue(value: string): readonly string[] {
  const complaints: string[] = [];
  if (byteLength(value) > 63) complaints.push(maxLength(63));
  if (!labelValuePattern.test(value)) {
    const text =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    complaints.push(patternMismatch(text, labelValue, 'MyValue', 'my_value', '12345'));
  }
  return complaints;
}

/** What no name of any kind may be, because names are segments of paths. */
export function checkPathSegment(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}

export type NameRule = 'rfc1123Subdomain' | 'rfc1123Label' | 'rfc1035Label';

const nameChecks: Readonly<Record<NameRule, (value: string) => readonly string[]>> = {
  rfc1123Subdomain: (value) => checkSubdomain1123(value),
  rfc1123Label: checkLabel1123,
  rfc1035Label: checkLabel1035,
};

/** `isPrefix`: the value is a generateName, whose trailing dash is fine because more will follow. */
export function checkName(rule: NameRule, value: string, isPrefix = false): readonly string[] {
  const masked = isPrefix && value.length > 1 && value.endsWith('-') ? `${value.slice(0, -2)}a` : value;
  return nameChecks[rule](masked);
}

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxGeneratedBase = 63 - suffixLength;

/**
 * `generateName` made a name: the base, cut to 58, and five characters of an alphabet without vowels.
 * `random` gives numbers in [0, 1). k8s.io/apiserver/pkg/storage/names, SimpleNameGenerator.
 */
export function generatedName(base: string, random: () => number): string {
  let suffix = '';
  for (let i = 0; i < suffixLength; i++) suffix += suffixAlphabet[Math.floor(random() * suffixAlphabet.length)];
  return base.slice(0, maxGeneratedBase) + suffix;
}
