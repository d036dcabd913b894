// Operations that wait for a socket, in the order in which they were called.
import { outOfRange, wrongType, ZmqError } from './errors.js'

/** Options of a single operation. */
export interface OperationOptions {
  /** Rejects the operation with the signal's reason. No message is lost by it. */
  signal?: AbortSignal
  /**
   * Milliseconds after which the operation is rejected with EAGAIN; 0 = at once unless it can be
   * done at once, -1 = never. Default: the socket's `sendTimeout` or `receiveTimeout`.
   */
  timeout?: number
}

const MAX_TIMEOUT = 2 ** 31 - 1

function isSignal(value: AbortSignal | null): boolean {
  return typeof value?.aborted === 'boolean' && typeof value.addEventListener === 'function'
}

/** Checks the options of an operation; throws TypeError or RangeError. */
export function checkOperation(options: OperationOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw wrongType('options', 'an object', options)
  }
  const { signal, timeout } = options
  // Of any realm, so no instanceof.
  if (signal !== undefined && !isSignal(signal)) {
    throw wrongType('signal', 'an AbortSignal', signal)
  }
  if (timeout === undefined) return
  if (typeof timeout !== 'number') throw wrongType('timeout', 'a number', timeout)
  if (!Number.isInteger(timeout) || timeout < -1 || timeout > MAX_TIMEOUT) {
    throw outOfRange('timeout', `an integer from -1 to ${MAX_TIMEOUT}`, timeout)
  }
}

/** One operation that waits; settled exactly once, after it has left its list. */
export class Pending {
  readonly promise: Promise<unknown>
  previous: this | undefined
  next: this | undefined
  #resolve!: (value: unknown) => void
  #reject!: (reason: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #signal: AbortSignal | undefined
  #onAbort: (() => void) | undefined

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  settle(value: unknown): void {
    this.#disarm()
    this.#resolve(value)
  }

  fail(reason: unknown): void {
    this.#disarm()
    this.#reject(reason)
  }

  /** Calls `cancel` with the reason when the time is over or the signal is aborted. */
  arm(timeout: number, signal: AbortSignal | undefined, cancel: (reason: unknown) => void): void {
    if (timeout > 0) this.#timer = setTimeout(() => cancel(new ZmqError('EAGAIN')), timeout)
    if (!signal) return
    this.#signal = signal
    this.#onAbort = () => cancel(signal.reason)
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  #disarm(): void {
    if (this.#timer) clearTimeout(this.#timer)
    if (this.#onAbort) this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

/** A queue from whose middle operations can be cancelled. */
export class PendingList<P extends Pending> {
  head: P | undefined
  #tail: P | undefined
  readonly #onCancel: () => void

  /** `onCancel` is called after an operation has left the list by its timeout or signal. */
  constructor(onCancel: () => void) {
    this.#onCancel = onCancel
  }

  get empty(): boolean {
    return this.head === undefined
  }

  push(pending: P, timeout: number, signal?: AbortSignal): void {
    pending.previous = this.#tail
    if (this.#tail) this.#tail.next = pending
    else this.head = pending
    this.#tail = pending
    pending.arm(timeout, signal, (reason) => {
      this.remove(pending)
      pending.fail(reason)
      this.#onCancel()
    })
  }

  shift(): P | undefined {
    const first = this.head
    if (first) this.remove(first)
    return first
  }

  remove(pending: P): void {
    const { previous, next } = pending
    if (previous) previous.next = next
    else this.head = next
    if (next) next.previous = previous
    else this.#tail = previous
    pending.previous = undefined
    pending.next = undefined
  }
}
