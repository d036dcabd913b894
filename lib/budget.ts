/** A turn of the event loop should not be held up for longer than about this. */
const SLICE_MS = 1

/** How many operations pass between two looks at the clock. */
const CLOCK_EVERY = 8

/**
 * Limits what completes within one turn of the event loop. Operations that complete at once cost
 * only microtasks, which run before timers and I/O of the program: without a limit, a socket under
 * a flood would let nothing else happen.
 */
export class Budget {
  #used = 0
  #checkAt = CLOCK_EVERY
  #startedAt = 0

  constructor(readonly limit: number) {}

  /** What has completed in this turn. */
  get used(): number {
    return this.#used
  }

  /** Nothing more may complete before the next turn. */
  get spent(): boolean {
    return this.#used >= this.limit
  }

  spend(count = 1): void {
    if (this.#used === 0) this.#startedAt = performance.now()
    this.#used += count
    if (this.#used >= this.#checkAt) {
      this.#checkAt = this.#used + CLOCK_EVERY
      if (performance.now() - this.#startedAt > SLICE_MS) this.#used = this.limit
    }
  }

  /** A new turn has begun. */
  reset(): void {
    this.#used = 0
    this.#checkAt = CLOCK_EVERY
  }
}
