import type { EventEmitter } from 'node:events'
import { guarded, wrongType, ZmqError } from './errors.js'
import type { Event, EventOfType, EventType } from './events.js'
import { EventQueue } from './monitor.js'
import { channelOf, Socket } from './socket.js'

/** Adding and removing listeners for a socket's events. */
export interface EventSubscriber {
  on<E extends EventType>(type: E, listener: (data: EventOfType<E>) => void): EventSubscriber
  off<E extends EventType>(type: E, listener: (data: EventOfType<E>) => void): EventSubscriber
}

const DONE = { value: undefined, done: true } as const

/**
 * The events of a socket's endpoints and connections, from the moment the observer is created.
 * Either listen to them (`on`), which does not keep the process alive, or take them one by one
 * (`receive`, `for await`), which does while it waits. The last event is `end`.
 */
export class Observer implements EventSubscriber {
  #queue: EventQueue

  /** Throws EBADF if the socket is closed. */
  constructor(socket: Socket) {
    if (!(socket instanceof Socket)) throw wrongType('socket', 'a socket object', socket)
    this.#queue = guarded(() => new EventQueue(channelOf(socket)))
  }

  get closed(): boolean {
    return this.#queue.closed
  }

  /** The emitter behind `on` and `off`. */
  get emitter(): EventEmitter {
    return this.#queue.listen(() => {
      this.#queue.exposed = true
    })
  }

  on<E extends EventType>(type: E, listener: (data: EventOfType<E>) => void): this {
    this.#queue.listen((emitter) => emitter.on(type, listener))
    return this
  }

  off<E extends EventType>(type: E, listener: (data: EventOfType<E>) => void): this {
    this.#queue.listen((emitter) => emitter.off(type, listener))
    return this
  }

  /** Stops observing: waiting receives are rejected with EAGAIN, iterations end. */
  close(): void {
    if (!this.closed) this.#queue.close()
  }

  /** The next event. Rejects with EBADF when closed, with EBUSY after `on`. */
  async receive(): Promise<Event> {
    if (this.closed) throw new ZmqError('EBADF', 'Observer is closed')
    if (this.#queue.emitter) throw new ZmqError('EBUSY', 'The events go to listeners')
    return this.#queue.take((event) => event)
  }

  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    return {
      next: async () => {
        if (this.closed) return DONE
        if (this.#queue.emitter) throw new ZmqError('EBUSY', 'The events go to listeners')
        return this.#queue.take<IteratorResult<Event, undefined>>(
          (value) => ({ value, done: false }),
          DONE,
        )
      },
      return: async () => DONE,
    }
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
