/** What is shared by all requests of one server. */
export class ServerState {
  readonly #longRunning = new Set<AbortController>();
  #stopping = false;

  /** True once the server has been asked to stop: not ready any more, still serving. */
  get stopping(): boolean {
    return this.#stopping;
  }

  beginStop(): void {
    this.#stopping = true;
  }

  get longRunningCount(): number {
    return this.#longRunning.size;
  }

  /** Registers a request that ends only when it is told to; answers the way to take it out again. */
  addLongRunning(controller: AbortController): () => void {
    this.#longRunning.add(controller);
    return () => void this.#longRunning.delete(controller);
  }

  /** Ends all watches; each closes its stream in order. */
  endLongRunning(): void {
    for (const controller of this.#longRunning) controller.abort(new DOMException('the server stops', 'AbortError'));
  }
}
