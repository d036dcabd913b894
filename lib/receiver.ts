import { Batch, MAX_BATCH, type Message } from './batch.js'
import type { Channel } from './channel.js'
import { fromNative, ZmqError } from './errors.js'
import { checkOperation, type OperationOptions, Pending, PendingList } from './pending.js'
import { defer, received } from './turn.js'

/** What a receiving operation makes of the messages that are at hand. */
export type Shape<T> = (receiver: Receiver) => T

/** What an iteration gets when its socket is closed. */
const END: IteratorReturnResult<undefined> = { value: undefined, done: true }
export const ENDED: Promise<IteratorReturnResult<undefined>> = Promise.resolve(END)

/** A receive that waits. */
class PendingReceive extends Pending {
  constructor(
    readonly shape: Shape<unknown>,
    /** Iterations end where other operations fail. */
    readonly iterator?: object,
  ) {
    super()
  }
}

/** The receiving half of a socket: at most one fetched batch, and the operations that wait. */
export class Receiver {
  /** Milliseconds, as the option receiveTimeout. */
  timeout = -1
  readonly batch = new Batch()
  readonly waiting: PendingList<PendingReceive>
  readonly #channel: Channel
  #deferred = false
  readonly #resume = () => {
    this.#deferred = false
    this.#channel.resume()
  }

  constructor(channel: Channel) {
    this.#channel = channel
    this.waiting = new PendingList(() => channel.update())
  }

  /** Whether news from the addon are needed to go on. */
  get thirsty(): boolean {
    return !this.waiting.empty && !this.#deferred
  }

  one(options?: OperationOptions): Promise<Message[]> {
    return this.#receive(takeOne, options)
  }

  many(max: number, options?: OperationOptions): Promise<Message[][]> {
    return this.#receive((receiver) => receiver.takeMany(max), options)
  }

  /** The next step of an iteration. */
  step<T>(shape: Shape<IteratorResult<T, undefined>>, iterator: object) {
    if (this.#channel.closed) return ENDED
    return this.#receive(shape, undefined, iterator)
  }

  /** Ends the steps of an iteration that still wait. */
  endSteps(iterator: object): void {
    for (let pending = this.waiting.head; pending; ) {
      const next: PendingReceive | undefined = pending.next
      if (pending.iterator === iterator) {
        this.waiting.remove(pending)
        pending.settle(END)
      }
      pending = next
    }
    this.#channel.update()
  }

  /** Hands out what is at hand; whether any operation was settled or continues next turn. */
  deliver(): boolean {
    let progress = false
    while (!this.waiting.empty) {
      if (received.spent) {
        this.#postpone()
        return true
      }
      try {
        if (!this.#ready()) break
        const pending = this.waiting.head as PendingReceive
        const value = this.#shape(pending.shape)
        this.waiting.remove(pending)
        pending.settle(value)
      } catch (error) {
        this.waiting.shift()?.fail(fromNative(error))
      }
      progress = true
    }
    return progress
  }

  /** As many messages as are at hand, up to `max`. Only when there is one. */
  takeMany(max: number): Message[][] {
    const most = Math.min(max, MAX_BATCH)
    const messages = this.batch.takeMany(most)
    while (messages.length < most && this.#tryFill()) {
      messages.push(...this.batch.takeMany(most - messages.length))
    }
    return messages
  }

  /** The socket can no longer be used: what waits fails with `code`. */
  abandon(code: string): void {
    this.batch.clear()
    for (let pending = this.waiting.shift(); pending; pending = this.waiting.shift()) {
      if (pending.iterator) pending.settle(END)
      else pending.fail(new ZmqError(code))
    }
  }

  #receive<T>(shape: Shape<T>, options?: OperationOptions, iterator?: object): Promise<T> {
    let timeout = this.timeout
    try {
      if (options !== undefined) {
        checkOperation(options)
        if (options.signal?.aborted) return Promise.reject(options.signal.reason)
        timeout = options.timeout ?? timeout
      }
      if (this.waiting.empty && this.#ready()) {
        if (!received.spent) return Promise.resolve(this.#shape(shape))
        timeout = -1
      } else if (timeout === 0) {
        throw new ZmqError('EAGAIN')
      }
    } catch (error) {
      return Promise.reject(fromNative(error))
    }
    const pending = new PendingReceive(shape, iterator)
    this.waiting.push(pending, timeout, options?.signal)
    if (received.spent) this.#postpone()
    this.#channel.update()
    return pending.promise as Promise<T>
  }

  /** Fails when the program has given the memory away: then the rest of the batch is gone, too. */
  #shape<T>(shape: Shape<T>): T {
    try {
      return shape(this)
    } catch (error) {
      this.batch.clear()
      throw error
    }
  }

  #ready(): boolean {
    return !this.batch.empty || this.batch.fill(this.#channel.handle)
  }

  #postpone(): void {
    if (this.#deferred) return
    this.#deferred = true
    defer(this.#resume)
  }

  /** A failure waits for the next operation: this one has messages to return. */
  #tryFill(): boolean {
    try {
      return this.batch.fill(this.#channel.handle)
    } catch {
      return false
    }
  }
}

/** The next message. */
export function takeOne(receiver: Receiver): Message[] {
  return receiver.batch.take()
}
