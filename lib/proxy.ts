import { native } from './binding.js'
import type { Channel } from './channel.js'
import { guarded, wrongType, ZmqError } from './errors.js'
import type { Readable } from './readable.js'
import { channelOf, Socket } from './socket.js'
import { linger } from './wake.js'
import type { Writable } from './writable.js'

type Side = Socket & (Readable | Writable)

/**
 * Passes messages on between two sockets, both ways where both can, on a native thread: JavaScript
 * does not see them. The sockets belong to the proxy from `run` on (EBADF, and their observers
 * end) and are closed by its end. A running proxy keeps the process alive.
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: zeromq.js calls it so.
export class Proxy<F extends Side = Side, B extends Side = Side> {
  readonly frontEnd: F
  readonly backEnd: B
  #handle: number | undefined

  constructor(frontEnd: F, backEnd: B) {
    if (!(frontEnd instanceof Socket)) throw wrongType('front-end', 'a socket object', frontEnd)
    if (!(backEnd instanceof Socket)) throw wrongType('back-end', 'a socket object', backEnd)
    this.frontEnd = frontEnd
    this.backEnd = backEnd
  }

  /**
   * Runs until `terminate`, or until one of the sockets or the context is closed. Rejects with
   * EINVAL if a socket is neither bound nor connected, EBADF if one is closed, EBUSY if one has
   * waiting operations.
   */
  async run(): Promise<void> {
    const front = channelOf(this.frontEnd)
    const back = channelOf(this.backEnd)
    for (const { closed, handedOver, idle } of [front, back]) {
      if (closed || handedOver) throw new ZmqError('EBADF')
      if (!idle) throw new ZmqError('EBUSY', 'A socket of the proxy has waiting operations')
    }
    // At once where nothing has to be passed on, so that no operation can come between.
    if (!front.receiver.batch.empty) await passOn(front, back)
    if (!back.receiver.batch.empty) await passOn(back, front)
    await this.#start(front, back)
  }

  /** Stops passing messages on until `resume`; EBADF unless the proxy runs. */
  pause(): void {
    this.#control('pause')
  }

  resume(): void {
    this.#control('resume')
  }

  /** Ends the proxy and closes its sockets; EBADF unless it runs. */
  terminate(): void {
    const handle = this.#running()
    this.#handle = undefined
    native.proxyControl(handle, 'terminate')
  }

  async #start(front: Channel, back: Channel): Promise<void> {
    let onEnd!: () => void
    const ended = new Promise<void>((resolve) => {
      onEnd = resolve
    })
    const handle = guarded(() => native.proxy(front.handle, back.handle, onEnd))
    this.#handle = handle
    const keeper = {
      ended,
      terminate: () => {
        if (this.#handle === handle) this.terminate()
      },
    }
    for (const side of [front, back]) side.handOver(keeper)
    await ended
    this.#handle = undefined
    for (const side of [front, back]) side.markClosed()
    linger()
  }

  #control(command: 'pause' | 'resume'): void {
    native.proxyControl(this.#running(), command)
  }

  #running(): number {
    if (this.#handle === undefined) throw new ZmqError('EBADF', 'Proxy is not running')
    return this.#handle
  }
}

/** What has already crossed into JavaScript takes the way of what follows it. */
async function passOn(from: Channel, to: Channel): Promise<void> {
  const { batch } = from.receiver
  while (!batch.empty) await to.sender.one(batch.take(), { timeout: -1 })
}
