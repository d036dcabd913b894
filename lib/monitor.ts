import { EventEmitter } from 'node:events'
import { native } from './binding.js'
import type { Channel } from './channel.js'
import { ZmqError } from './errors.js'
import { ALL_EVENTS, type Event, toEvent } from './events.js'
import { Pending, PendingList } from './pending.js'

/** Events kept for an observer that does not take them; beyond, the oldest are dropped. */
const MAX_EVENTS = 10_000

class PendingEvent extends Pending {
  constructor(
    readonly shape: (event: Event) => unknown,
    /** What is delivered when the queue is closed; undefined = rejected with EAGAIN. */
    readonly atEnd?: unknown,
  ) {
    super()
  }
}

/** The events on their way to one observer. */
export class EventQueue {
  emitter: EventEmitter | undefined
  /** The program has the emitter itself. */
  exposed = false
  closed = false
  readonly waiting: PendingList<PendingEvent>
  readonly #channel: Channel
  #events: Event[] = []

  constructor(channel: Channel) {
    this.#channel = channel
    this.waiting = new PendingList(() => channel.update())
    channel.monitor.open(this)
  }

  take<T>(shape: (event: Event) => T, atEnd?: T): Promise<T> {
    const event = this.#events.shift()
    if (event) {
      if (event.type === 'end') this.closed = true
      return Promise.resolve(shape(event))
    }
    const pending = new PendingEvent(shape, atEnd)
    this.waiting.push(pending, -1)
    this.#channel.update()
    return pending.promise as Promise<T>
  }

  /** It has listeners, or may have some that it does not know of. */
  get heard(): boolean {
    return this.exposed || (this.emitter?.eventNames().length ?? 0) > 0
  }

  /** From now on events go to listeners, which `change` adds or removes. */
  listen(change: (emitter: EventEmitter) => void): EventEmitter {
    this.emitter ??= new EventEmitter()
    const early = this.#events
    this.#events = []
    for (const event of early) this.push(event)
    change(this.emitter)
    this.#channel.update()
    return this.emitter
  }

  push(event: Event): void {
    const pending = this.waiting.shift()
    if (pending || this.emitter) {
      if (event.type === 'end') this.closed = true
      if (pending) pending.settle(pending.shape(event))
      // Not from within the call that collected it; what a listener throws is uncaught.
      else queueMicrotask(() => this.emitter?.emit(event.type, event))
      return
    }
    if (this.#events.length === MAX_EVENTS) this.#events.shift()
    this.#events.push(event)
  }

  close(): void {
    this.closed = true
    this.#channel.monitor.close(this)
    this.#events = []
    this.settleWaiting()
    this.#channel.update()
  }

  settleWaiting(): void {
    for (let pending = this.waiting.shift(); pending; pending = this.waiting.shift()) {
      if (pending.atEnd === undefined) pending.fail(new ZmqError('EAGAIN'))
      else pending.settle(pending.atEnd)
    }
  }
}

/** A socket's native monitor, shared by its observers. */
export class Monitor {
  readonly #queues = new Set<EventQueue>()
  /** Endpoints that have been unbound, whose `close` has not come yet. */
  #unbound: string[] = []
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** Somebody waits for events, which keeps the event loop alive. */
  get awaited(): boolean {
    for (const queue of this.#queues) if (!queue.waiting.empty) return true
    return false
  }

  /** Somebody waits for events, or listens. */
  get thirsty(): boolean {
    for (const queue of this.#queues) if (queue.heard || !queue.waiting.empty) return true
    return false
  }

  open(queue: EventQueue): void {
    // What happened before is not for this one.
    if (this.#queues.size > 0) this.collect()
    else {
      while (this.#next());
      this.#unbound = []
    }
    native.monitor(this.#channel.handle, ALL_EVENTS)
    this.#queues.add(queue)
  }

  close(queue: EventQueue): void {
    if (!this.#queues.delete(queue) || this.#queues.size > 0) return
    native.monitor(this.#channel.handle, 0)
  }

  /** Takes what has happened; whether anything has. */
  collect(): boolean {
    if (this.#queues.size === 0) return false
    let any = false
    for (let event = this.#next(); event; event = this.#next()) {
      any = true
      // The end is told when the socket is closed, after everything else.
      if (event.type === 'close' && event.peerAddress === undefined) {
        const index = this.#unbound.indexOf(event.address)
        if (index >= 0) this.#unbound.splice(index, 1)
      }
      if (event.type !== 'end') this.#tell(event)
    }
    return any
  }

  /** An endpoint is no longer bound. */
  unbound(endpoint: string): void {
    if (this.#queues.size > 0) this.#unbound.push(endpoint)
  }

  /** The socket is about to be closed, with these endpoints still bound: nothing native tells. */
  closing(bound: Iterable<string>): void {
    for (const address of [...this.#unbound, ...bound]) this.#tell({ type: 'close', address })
  }

  /** The socket has been closed. */
  end(): void {
    for (const queue of this.#queues) {
      queue.push({ type: 'end' })
      queue.settleWaiting()
    }
    this.#queues.clear()
  }

  #tell(event: Event): void {
    for (const queue of this.#queues) queue.push(event)
  }

  #next(): Event | undefined {
    try {
      const event = native.nextEvent(this.#channel.handle)
      return event ? toEvent(event) : undefined
    } catch {
      return undefined
    }
  }
}
