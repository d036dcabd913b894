import { native } from './binding.js'
import type { Channel } from './channel.js'
import { fromNative, wrongType, ZmqError } from './errors.js'
import { DEALER, PAIR, PUB, PUSH, ROUTER, XPUB } from './native.js'
import { type Owner, outbox } from './outbox.js'
import { kept, type Outgoing, toOutgoing } from './outgoing.js'
import { checkOperation, type OperationOptions, Pending, PendingList } from './pending.js'
import { accepted, flushLater, turn } from './turn.js'

/** A send that waits for room. */
class PendingSend extends Pending {
  /** `attempt` tells whether everything has been accepted now. */
  constructor(readonly attempt: () => boolean) {
    super()
  }
}

/** Types that accept any valid message as long as there is room. */
const ROOMY = new Set([PAIR, PUB, DEALER, ROUTER, PUSH, XPUB])

/** The sending half of a socket: the operations that wait for room, in order. */
export class Sender implements Owner {
  /** Milliseconds, as the option sendTimeout. */
  timeout = -1
  readonly waiting: PendingList<PendingSend>
  readonly #channel: Channel
  readonly #roomy: boolean
  /** Messages that may go to the outbox in this turn before asking again whether there is room. */
  #credit = 0
  #turn = 0

  constructor(channel: Channel) {
    this.#channel = channel
    this.#roomy = ROOMY.has(channel.type)
    this.waiting = new PendingList(() => channel.update())
  }

  one(message: unknown, options?: OperationOptions): Promise<void> {
    let outgoing: Outgoing
    try {
      if (options === undefined && this.#deposit(message)) return accepted()
      outgoing = toOutgoing(message)
    } catch (error) {
      return Promise.reject(fromNative(error))
    }
    const keep = () => {
      outgoing = kept(outgoing)
    }
    return this.#send(() => this.#offer(outgoing), keep, options)
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
      for (;;) {
        sent = outbox.many(this.#channel.handle, all, sent)
        if (sent > 0) flushLater()
        if (sent === all.length) return true
        if (!this.#offer(all[sent] as Outgoing)) return false
        sent += 1
      }
    }
    const keep = () => {
      for (let i = sent; i < all.length; i += 1) all[i] = kept(all[i] as Outgoing)
    }
    return this.#send(attempt, keep, options, all.length)
  }

  /** What was accepted has no room after all: it goes on to wait, with nobody to be told. */
  hold(message: Outgoing): void {
    const pending = new PendingSend(() => this.#offer(message))
    pending.promise.catch(() => {})
    this.waiting.push(pending, -1)
    this.#channel.update()
  }

  /** Something else is done with the socket, or to it. */
  forgetRoom(): void {
    this.#credit = 0
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
    this.#credit = 0
    for (let pending = this.waiting.shift(); pending; pending = this.waiting.shift()) {
      pending.fail(new ZmqError(code))
    }
  }

  /** Into the outbox, if there is room. False: that is for the addon to decide. */
  #deposit(message: unknown): boolean {
    const channel = this.#channel
    if (this.#credit <= 0 || this.#turn !== turn()) {
      if (!this.#roomy) return false
      this.#credit = native.room(channel.handle)
      this.#turn = turn()
    }
    if (this.#credit === 0 || !this.waiting.empty) return false
    // Without an address it is not valid.
    if (channel.type === ROUTER && !(Array.isArray(message) && message.length > 1)) return false
    if (!outbox.add(this, channel.socket, message)) {
      this.#credit = 0 // the turn may not end by this message
      return false
    }
    this.#credit -= 1
    return true
  }

  #offer(outgoing: Outgoing): boolean {
    const { handle } = this.#channel
    if (Array.isArray(outgoing)) return native.sendParts(handle, outgoing)
    return native.send(handle, outgoing as Exclude<Outgoing, readonly unknown[]>)
  }

  /** `keep` takes from the program what `attempt` needs later on. */
  #send(
    attempt: () => boolean,
    keep: () => void,
    options?: OperationOptions,
    count = 1,
  ): Promise<void> {
    outbox.flush()
    let timeout = this.timeout
    try {
      if (options !== undefined) {
        checkOperation(options)
        if (options.signal?.aborted) return Promise.reject(options.signal.reason)
        timeout = options.timeout ?? timeout
      }
      if (this.waiting.empty && attempt()) return accepted(count)
      if (timeout === 0) throw new ZmqError('EAGAIN')
      keep()
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
