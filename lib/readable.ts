import type { Message } from './batch.js'
import { type Accessors, integer } from './option.js'
import { readableOptions } from './options.js'
import type { OperationOptions } from './pending.js'
import { ENDED, type Receiver, type Shape, takeOne } from './receiver.js'
import { channelOf, type Socket } from './socket.js'

/** A socket that receives messages of the type M, which are arrays of their parts. */
export interface Readable<M extends object[] = Message[]>
  extends Accessors<typeof readableOptions> {
  /**
   * The next message. Several calls may wait; they are served in order. Rejects with EAGAIN after
   * `receiveTimeout`, or when the socket is closed meanwhile, with EBADF when it is closed, with
   * EFSM if a Request or Reply has to send first.
   *
   * Small parts are views on memory that messages share: a program that keeps a part for long
   * should keep a copy (`Buffer.from(part)`), which lets go of the others.
   */
  receive(options?: OperationOptions): Promise<M>

  /**
   * The messages that are at hand, at least one (waiting for it) and at most `max` (default and
   * highest number: 256). The cheapest way to receive many.
   */
  receiveMany(max?: number, options?: OperationOptions): Promise<M[]>

  /** Iterates over all messages, until the socket is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<M, undefined>

  /** Iterates over all messages as arrays of up to `max`, as `receiveMany` returns them. */
  batches(max?: number): AsyncIterableIterator<M[], undefined>
}

/** An iteration: a `for await` over it costs no more than the promises. */
class Messages<T> implements AsyncIterableIterator<T, undefined> {
  #receiver: Receiver
  #shape: Shape<IteratorResult<T, undefined>>
  #done = false

  constructor(receiver: Receiver, take: Shape<T>) {
    this.#receiver = receiver
    this.#shape = (from) => ({ value: take(from), done: false })
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return this.#done ? ENDED : this.#receiver.step(this.#shape, this)
  }

  /** Ends the iteration, also where it waits; no message is lost. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#done = true
    this.#receiver.endSteps(this)
    return ENDED
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}

const maximum = integer(1)

function checkMax(max: unknown): number {
  if (max === undefined) return Number.POSITIVE_INFINITY
  return maximum.check('max', max)
}

/** What makes a socket Readable. */
export const readable = {
  options: readableOptions,
  methods: {
    receive(this: Socket, options?: OperationOptions): Promise<Message[]> {
      return channelOf(this).receiver.one(options)
    },

    async receiveMany(this: Socket, max?: number, options?: OperationOptions) {
      return channelOf(this).receiver.many(checkMax(max), options)
    },

    [Symbol.asyncIterator](this: Socket): Messages<Message[]> {
      return new Messages(channelOf(this).receiver, takeOne)
    },

    batches(this: Socket, max?: number): Messages<Message[][]> {
      const most = checkMax(max)
      return new Messages(channelOf(this).receiver, (receiver) => receiver.takeMany(most))
    },
  },
}
