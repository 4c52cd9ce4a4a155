/** A value that does not fit its type: found by name of the field, without a status. typed/helpers.go, ValidationErrors. */
export class TypedError extends Error {
  override readonly name = 'TypedError';

  /** `findings`: ready texts, each with its path in front. */
  constructor(findings: readonly string[]) {
    super(findings.length === 1 ? findings[0] : ['errors:', ...findings.map((text) => `  ${text}`)].join('\n'));
  }
}
