/**
 * `Warning` headers of one answer. Budget and truncation follow k8s.io/apiserver/pkg/endpoints/filters/warning.go: 4 KiB in
 * total; once that is passed every text is cut to 256 characters and what still does not fit is dropped.
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
    const full = [...this.#texts].map(toHeader);
    if (total(full) <= totalBudget) return full;
    const kept: string[] = [];
    for (const text of this.#texts) {
      const header = toHeader(Array.from(text).slice(0, cutLength).join(''));
      if (total(kept) + header.length > totalBudget) break;
      kept.push(header);
    }
    return kept;
  }
}

function total(headers: readonly string[]): number {
  return headers.reduce((sum, header) => sum + header.length, 0);
}

/** k8s.io/apimachinery/pkg/util/net, NewWarningHeader: code 299, no agent, a quoted string without control characters. */
function toHeader(text: string): string {
  // eslint-disable-next-line no-control-regex
  const printable = text.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/["\\]/g, '\\$&');
  // Header values are bytes: UTF-8 travels as the latin1 characters of its bytes.
  return `299 - "${Buffer.from(printable, 'utf8').toString('latin1')}"`;
}
