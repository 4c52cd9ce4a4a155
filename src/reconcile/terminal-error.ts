/** Thrown by a reconcile when trying again cannot help until something changes. Its message is for the user to read. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  /** Reason of the condition or Event that reports it, in CamelCase. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
