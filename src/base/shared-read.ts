/**
 * One read for all who ask at the same time. Who asks gets an answer to a question that was sent after he asked, never that of one that
 * is under way already: its answer may be from before.
 */
export class SharedRead<T> {
  readonly #read: () => Promise<T>;
  #running: Promise<unknown> | undefined;
  #next: Promise<T> | undefined;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  read(): Promise<T> {
    if (this.#running === undefined) return this.#run();
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#run();
    });
    return this.#next;
  }

  #run(): Promise<T> {
    const reading = this.#read();
    const over = (): void => {
      if (this.#running === running) this.#running = undefined;
    };
    const running: Promise<void> = reading.then(over, over);
    this.#running = running;
    return reading;
  }
}
