import { native } from './binding.js'
import { Channel } from './channel.js'
import { guarded, wrongType, ZmqError } from './errors.js'
import { flag, integer } from './option.js'
import { linger, quiet } from './wake.js'

/** Options of a new Context: its settable properties. */
export type ContextOptions = Partial<
  Pick<
    Context,
    | 'ioThreads'
    | 'maxSockets'
    | 'spin'
    | 'ipv6'
    | 'blocky'
    | 'maxMessageSize'
    | 'threadPriority'
    | 'threadSchedulingPolicy'
  >
>

/** Stands for the options of the default context. */
const SHARED: ContextOptions = {}

const NOT_OPENED = -1
const MAX_SOCKETS = 65535
const ANY_SIZE = 2 ** 31 - 1

const collectedContexts = new FinalizationRegistry<number>((handle) => {
  native.releaseContext(handle)
})

const collectedSockets = new FinalizationRegistry<{ members: Members; handle: number }>(
  ({ members, handle }) => {
    members.delete(handle)
    native.closeSocket(handle)
    linger()
  },
)

/** The channels of a context's open sockets of this thread. They do not keep them alive. */
type Members = Map<number, WeakRef<Channel>>

/** The native socket for a new Socket object, whose collection closes it. */
export let createChannel: (context: Context, owner: object, type: number) => Channel

/**
 * The IO threads and the inproc names that sockets share. Programs need no other than the default
 * `context`, which all threads of the process share; sockets use it unless told otherwise.
 */
export class Context {
  #handle = NOT_OPENED
  #shared: boolean
  #members: Members = new Map()
  #closing: Promise<void> | undefined
  #ipv6 = false
  #blocky = true

  /** Throws TypeError or RangeError for invalid options, ENOTSUP for unsupported ones. */
  constructor(options: ContextOptions = {}) {
    if (typeof options !== 'object' || options === null) {
      throw wrongType('options', 'an object', options)
    }
    Object.seal(this)
    this.#shared = options === SHARED
    if (this.#shared) return
    const { ioThreads, maxSockets, spin, ...others } = options
    this.#handle = guarded(() =>
      native.createContext({
        ...(ioThreads !== undefined && { ioThreads: checkIoThreads(ioThreads) }),
        ...(maxSockets !== undefined && { maxSockets: checkMaxSockets(maxSockets) }),
        ...(spin !== undefined && { spin: checkSpin(spin) }),
      }),
    )
    collectedContexts.register(this, this.#handle, this)
    Object.assign(this, others)
  }

  /** Threads that do the input and output, 0 = inproc only. Default 1, settable before use. */
  get ioThreads(): number {
    return guarded(() => native.contextOption(this.#open(), 'ioThreads'))
  }

  set ioThreads(value: number) {
    const checked = checkIoThreads(value)
    guarded(() => native.setContextOption(this.#open(), 'ioThreads', checked))
  }

  /** Sockets that may be open at the same time; one more fails with EMFILE. Default 1023. */
  get maxSockets(): number {
    return guarded(() => native.contextOption(this.#open(), 'maxSockets'))
  }

  set maxSockets(value: number) {
    const checked = checkMaxSockets(value)
    guarded(() => native.setContextOption(this.#open(), 'maxSockets', checked))
  }

  /**
   * Microseconds an IO thread looks for more work before it sleeps, 0 to 1000; left out while its
   * waits are longer than twice that. So does the event loop, for 50 at most, after short turns in
   * which few messages came and were sent, as long as that tends to find an answer. Lowers the
   * latency for processor time. Default 100, or 0 where the process has one processor only: there
   * the event loop gives that to others, three times, instead. Settable before use.
   */
  get spin(): number {
    return guarded(() => native.contextOption(this.#open(), 'spin'))
  }

  set spin(value: number) {
    const checked = checkSpin(value)
    guarded(() => native.setContextOption(this.#open(), 'spin', checked))
  }

  /** The largest value of maxSockets. */
  get maxSocketsLimit(): number {
    return MAX_SOCKETS
  }

  /** Whether sockets created from now on in this thread start with `ipv6`. Default false. */
  get ipv6(): boolean {
    return this.#ipv6
  }

  set ipv6(value: boolean) {
    this.#ipv6 = flag.check('ipv6', value)
  }

  /**
   * false: sockets created from now on in this thread start with `linger` 0, so that unsent
   * messages do not hold up the end of the process (for a second at most, if sockets are still
   * open then). Default true.
   */
  get blocky(): boolean {
    return this.#blocky
  }

  set blocky(value: boolean) {
    this.#blocky = flag.check('blocky', value)
  }

  /** Bytes a message may have: no smaller limit is supported here, see Socket#maxMessageSize. */
  get maxMessageSize(): number {
    return ANY_SIZE
  }

  set maxMessageSize(value: number) {
    if (value !== ANY_SIZE) throw new ZmqError('ENOTSUP', 'maxMessageSize is not supported')
  }

  /** Not supported. */
  set threadPriority(_value: number) {
    throw new ZmqError('ENOTSUP', 'threadPriority is not supported')
  }

  /** Not supported. */
  set threadSchedulingPolicy(_value: number) {
    throw new ZmqError('ENOTSUP', 'threadSchedulingPolicy is not supported')
  }

  /**
   * Closes this thread's sockets of the context and resolves when what they had queued has been
   * sent, as long as their `linger` allows. No socket can be created afterwards (EFAULT); only
   * the default context, which other threads share, can still be used.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const ends: (Promise<void> | undefined)[] = []
    for (const member of this.#members.values()) {
      const channel = member.deref()
      channel?.close()
      ends.push(channel?.handedOver?.ended)
    }
    await Promise.all(ends)
    await quiet()
    if (this.#shared) {
      this.#closing = undefined
      return
    }
    collectedContexts.unregister(this)
    native.releaseContext(this.#handle)
  }

  #open(): number {
    if (this.#closing && !this.#shared) throw new ZmqError('EFAULT')
    if (this.#handle === NOT_OPENED) this.#handle = native.defaultContext()
    return this.#handle
  }

  #createChannel(owner: object, type: number): Channel {
    const handle = guarded(() => native.createSocket(this.#open(), type))
    const channel = new Channel(handle, owner, type)
    const members = this.#members
    members.set(handle, new WeakRef(channel))
    collectedSockets.register(owner, { members, handle }, channel)
    channel.onClosed = () => {
      members.delete(handle)
      collectedSockets.unregister(channel)
    }
    if (this.#ipv6) native.setOptionNumber(handle, 42, 1)
    if (!this.#blocky) native.setOptionNumber(handle, 17, 0)
    return channel
  }

  static {
    createChannel = (context, owner, type) => context.#createChannel(owner, type)
  }
}

/** The default context, shared by all threads of the process. */
export const context = new Context(SHARED)

function checkIoThreads(value: unknown): number {
  return integer(0, 64).check('ioThreads', value)
}

function checkMaxSockets(value: unknown): number {
  return integer(1, MAX_SOCKETS).check('maxSockets', value)
}

function checkSpin(value: unknown): number {
  return integer(0, 1000).check('spin', value)
}
