import type { Clock } from '../base/clock.ts';

/** Nobody waits longer for others to be sent their events: some of them may have stopped reading. */
const patienceMs = 50;

/**
 * Paces what is sent to very many receivers at once. An event that a thousand watch is in memory a thousand times, encrypted, once
 * all of it has been written; with a budget it is written as fast as it leaves.
 */
export class SendBudget {
  readonly #limit: number;
  readonly #clock: Clock;
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  /** `limit`: bytes that may be under way before others have to wait. */
  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Takes so many bytes of the budget: at once (undefined), or when others have been sent theirs. To be given back. */
  take(bytes: number): Promise<void> | undefined {
    if (this.#underWay < this.#limit) {
      this.#underWay += bytes;
      return undefined;
    }
    return new Promise((resolve) => {
      let isOver = false;
      const go = (): void => {
        if (isOver) return;
        isOver = true;
        timer.cancel();
        this.#underWay += bytes;
        resolve();
      };
      const timer = this.#clock.setTimer(patienceMs, go);
      this.#waiting.push(go);
    });
  }

  giveBack(bytes: number): void {
    this.#underWay -= bytes;
    while (this.#underWay < this.#limit && this.#waiting.length > 0) this.#waiting.shift()!();
  }
}
