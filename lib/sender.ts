import { native } from './binding.js'
import type { Channel } from './channel.js'
import { fromNative, wrongType, ZmqError } from './errors.js'
import { type Outgoing, toOutgoing } from './outgoing.js'
import { checkOperation, type OperationOptions, Pending, PendingList } from './pending.js'
import { accepted, flushLater } from './turn.js'

/** A send that waits for room. */
class PendingSend extends Pending {
  /** `attempt` tells whether everything has been accepted now. */
  constructor(readonly attempt: () => boolean) {
    super()
  }
}

/** The sending half of a socket: the operations that wait for room, in order. */
export class Sender {
  /** Milliseconds, as the option sendTimeout. */
  timeout = -1
  readonly waiting: PendingList<PendingSend>
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
    this.waiting = new PendingList(() => channel.update())
  }

  one(message: unknown, options?: OperationOptions): Promise<void> {
    let outgoing: Outgoing
    try {
      outgoing = toOutgoing(message)
      if (options === undefined && this.waiting.empty && this.#offer(outgoing)) return accepted()
    } catch (error) {
      return Promise.reject(fromNative(error))
    }
    return this.#send(() => this.#offer(outgoing), options)
  }

  many(messages: unknown, options?: OperationOptions): Promise<void> {
    let all: Outgoing[]
    try {
      all = toMessages(messages)
    } catch (error) {
      return Promise.reject(error)
    }
    let sent = 0
    const attempt = () => {
      sent += native.sendMany(this.#channel.handle, all, sent)
      if (sent > 0) flushLater()
      return sent === all.length
    }
    return this.#send(attempt, options, all.length)
  }

  /** Sends what waits as far as there is room; whether any operation was settled. */
  drain(): boolean {
    let progress = false
    for (let first = this.waiting.head; first; first = this.waiting.head) {
      try {
        if (!first.attempt()) break
        this.waiting.remove(first)
        first.settle(undefined)
        flushLater()
      } catch (error) {
        this.waiting.remove(first)
        first.fail(fromNative(error))
      }
      progress = true
    }
    return progress
  }

  /** The socket can no longer be used: what waits fails with `code`. */
  abandon(code: string): void {
    for (let pending = this.waiting.shift(); pending; pending = this.waiting.shift()) {
      pending.fail(new ZmqError(code))
    }
  }

  #offer(outgoing: Outgoing): boolean {
    const { handle } = this.#channel
    if (Array.isArray(outgoing)) return native.sendParts(handle, outgoing)
    return native.send(handle, outgoing as Exclude<Outgoing, readonly unknown[]>)
  }

  #send(attempt: () => boolean, options?: OperationOptions, count = 1): Promise<void> {
    let timeout = this.timeout
    try {
      if (options !== undefined) {
        checkOperation(options)
        options.signal?.throwIfAborted()
        timeout = options.timeout ?? timeout
      }
      if (this.waiting.empty && attempt()) return accepted(count)
      if (timeout === 0) throw new ZmqError('EAGAIN')
    } catch (error) {
      return Promise.reject(fromNative(error))
    }
    const pending = new PendingSend(attempt)
    this.waiting.push(pending, timeout, options?.signal)
    this.#channel.update()
    return pending.promise as Promise<void>
  }
}

function toMessages(messages: unknown): Outgoing[] {
  if (!Array.isArray(messages)) {
    throw wrongType('messages', 'an array of messages', messages)
  }
  return messages.map(toOutgoing)
}
