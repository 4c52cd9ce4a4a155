/**
 * `Warning` headers of one answer. Budget and truncation follow k8s.io/apiserver/pkg/endpoints/filters/warning.go: 4,096
 * characters of text in all; once that is passed every text is cut to 256 characters and what still does not fit is dropped.
 */
const totalBudget = 4 * 1024;
const cutLength = 256;
/** Far more than the budget holds. */
const maxTexts = 1_000;

export class Warnings {
  readonly #texts = new Set<string>();

  /** Repeated texts count once. */
  add(text: string): void {
    if (text !== '' && this.#texts.size < maxTexts) this.#texts.add(text);
  }

  /** Values for the `Warning` header. */
  headers(): readonly string[] {
    let written = 0;
    let isCutting = false;
    let kept: string[] = [];
    const seen: string[][] = [];
    const keep = (characters: readonly string[]): void => {
      const header = toHeader(characters.join(''));
      if (header === undefined) return;
      written += characters.length;
      kept.push(header);
    };
    for (const text of this.#texts) {
      if (isCutting && written >= totalBudget) break;
      const characters = Array.from(text);
      seen.push(characters);
      if (isCutting) keep(characters.slice(0, cutLength));
      else if (written + characters.length <= totalBudget) keep(characters);
      else {
        isCutting = true;
        written = 0;
        kept = [];
        for (const earlier of seen) keep(earlier.slice(0, cutLength));
      }
    }
    return kept;
  }
}

/**
 * k8s.io/apimachinery/pkg/util/net, NewWarningHeader: code 299, no agent, a quoted string. Undefined for a text with control
 * characters: there is no header for it.
 */
function toHeader(text: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return undefined;
  // Header values are bytes: UTF-8 travels as the latin1 characters of its bytes.
  return `299 - "${Buffer.from(text.replace(/["\\]/g, '\\$&'), 'utf8').toString('latin1')}"`;
}
