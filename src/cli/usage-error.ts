/** The program was called the wrong way; the message says how, and the usage follows it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
