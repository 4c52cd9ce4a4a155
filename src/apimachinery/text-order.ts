/**
 * Go's order of strings: by their UTF-8 bytes. JavaScript's own order is by UTF-16 units, which differs where a surrogate meets a
 * character from U+E000 up. Go: strings.Compare.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for characters above all that have one unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

export function sortedKeys(object: object): readonly string[] {
  const keys = Object.keys(object);
  for (let at = 1; at < keys.length; at++) {
    if (compareText(keys[at - 1]!, keys[at]!) > 0) return keys.sort(compareText);
  }
  return keys;
}
