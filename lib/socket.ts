// biome-ignore-all lint/suspicious/noUnsafeDeclarationMerging: defineAccessors() defines what the interface declares.
import { native } from './binding.js'
import type { Channel } from './channel.js'
import { Context, createChannel, context as defaultContext } from './context.js'
import { guarded, wrongType, ZmqError } from './errors.js'
import { Observer } from './observer.js'
import { type Accessors, defineAccessors } from './option.js'
import { socketOptions } from './options.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

type Settable<S> = {
  [K in keyof S]-?: S[K] extends (...args: never[]) => unknown
    ? never
    : Same<{ [P in K]: S[K] }, { -readonly [P in K]: S[K] }> extends true
      ? K
      : never
}[keyof S]

/** Options of a new socket: all its settable properties, and the context it belongs to. */
export type SocketOptions<S extends Socket> = Partial<Pick<S, Settable<S>>> & {
  /** Default: the context of the process. */
  context?: Context
}

/** What the parts of this library work with; TypeError for what is no socket. */
export let channelOf: (socket: Socket) => Channel

/**
 * What all sockets have in common. A socket belongs to one thread (the main one, or a worker).
 * It does not keep the process alive, except while an operation waits, or while it flushes after
 * `close`.
 */
export abstract class Socket {
  #channel: Channel
  #context: Context | undefined
  #events: Observer | undefined

  /** Throws TypeError or RangeError for invalid options, EMFILE beyond the context's sockets. */
  protected constructor(type: number, options: SocketOptions<never>) {
    if (new.target === Socket) throw new TypeError('Socket is abstract: create one of its types')
    if (typeof options !== 'object' || options === null) {
      throw wrongType('options', 'an object', options)
    }
    const { context = defaultContext, ...settings } = options as { context?: Context }
    if (!(context instanceof Context)) throw wrongType('context', 'a Context', context)
    this.#context = context
    this.#channel = createChannel(context, this, type)
    Object.seal(this)
    try {
      for (const [name, value] of Object.entries(settings)) this.#apply(name, value)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** The context the socket belongs to; EBADF when closed. */
  get context(): Context {
    if (!this.#context || this.closed) throw new ZmqError('EBADF')
    return this.#context
  }

  get closed(): boolean {
    return this.#channel.closed
  }

  /** Whether a receive would complete at once. */
  get readable(): boolean {
    return guarded(() => this.#channel.readable)
  }

  /** Whether a send would complete at once. */
  get writable(): boolean {
    return guarded(() => this.#channel.writable)
  }

  /** What happens to the endpoints and connections, from the first use of this property on. */
  get events(): Observer {
    this.#events ??= new Observer(this)
    return this.#events
  }

  /**
   * Accepts connections at an endpoint: `tcp://host:port`, `ipc://path`, `inproc://name`; host
   * may be `*` or the name of a network interface, port `*` or 0, path `*` or `@name`.
   * Resolves to the endpoint with its wildcards resolved. Rejects with EADDRINUSE, EADDRNOTAVAIL,
   * EINVAL, EPROTONOSUPPORT, ...
   */
  async bind(address: string): Promise<string> {
    return this.bindSync(address)
  }

  /** As `bind`, but returns the endpoint and throws. */
  bindSync(address: string): string {
    checkAddress(address)
    const endpoint = guarded(() => native.bind(this.#channel.handle, address))
    this.#channel.attached = true
    if (!endpoint.startsWith('inproc:')) this.#channel.bound.set(endpoint, address)
    return endpoint
  }

  /**
   * Stops accepting at an endpoint, and ends the connections that were accepted there, but for
   * inproc ones; what is queued for them is sent for up to `linger`. Rejects with ENOENT if it is
   * not bound.
   */
  async unbind(address: string): Promise<void> {
    this.unbindSync(address)
  }

  /** As `unbind`, but throws. */
  unbindSync(address: string): void {
    checkAddress(address)
    guarded(() => native.unbind(this.#channel.handle, address))
    this.#channel.unbound(address)
  }

  /**
   * Connects to an endpoint, in the background and again whenever the connection is lost. An
   * unreachable peer is no error: look at `events`. Throws EINVAL, EPROTONOSUPPORT, ...
   */
  connect(address: string): void {
    checkAddress(address)
    guarded(() => native.connect(this.#channel.handle, address))
    this.#channel.attached = true
  }

  /** Ends what `connect` started; ENOENT if that is not in progress. */
  disconnect(address: string): void {
    checkAddress(address)
    guarded(() => native.disconnect(this.#channel.handle, address))
    // Of multicast it is the same.
    if (/^e?pgm:/.test(address)) this.#channel.unbound(address)
  }

  /**
   * Closes the socket; may be called repeatedly. Waiting operations are rejected with EAGAIN,
   * iterations end, received messages that have not been taken are dropped. What has been sent is
   * still delivered in the background, for as long as `linger` says; it keeps the process alive.
   */
  close(): void {
    this.#channel.close()
    if (this.closed) this.#context = undefined
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  #apply(name: string, value: unknown): void {
    if (value === undefined) return
    const accessor = findAccessor(this, name)
    if (!accessor) throw new TypeError(`${this.constructor.name} has no option ${name}`)
    if (!accessor.set) throw new TypeError(`${name} of ${this.constructor.name} is read-only`)
    accessor.set.call(this, value)
  }

  static {
    channelOf = (socket) => socket.#channel
    defineAccessors(Socket.prototype, socketOptions, channelOf)
  }
}

export interface Socket extends Accessors<typeof socketOptions> {}

export function checkAddress(address: unknown): void {
  if (typeof address !== 'string') throw wrongType('address', 'a string', address)
}

function findAccessor(socket: Socket, name: string): PropertyDescriptor | undefined {
  for (let at = socket as object; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name)
    if (descriptor) return descriptor.get || descriptor.set ? descriptor : undefined
  }
  return undefined
}
