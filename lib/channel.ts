import { native } from './binding.js'
import { Monitor } from './monitor.js'
import { EVENT, READABLE, WRITABLE } from './native.js'
import { outbox } from './outbox.js'
import { Receiver } from './receiver.js'
import { Sender } from './sender.js'
import { hold, linger, release, unwatch, type Watcher, watch } from './wake.js'

/** The handle of a socket that has been handed over; the addon answers it with EBADF. */
const NO_HANDLE = -1

/** Whom a native socket can be given to. */
export interface Keeper {
  /** Ends the use of the socket. */
  terminate(): void
  /** Resolves when the socket has been closed. */
  readonly ended: Promise<void>
}

/**
 * What a Socket object works with: its native handle, its waiting operations, and the arming of
 * the wake-up. While something waits the channel is rooted (`watch`), and through `owner` so is
 * the Socket object, whose collection would close the native socket.
 */
export class Channel implements Watcher {
  readonly receiver: Receiver
  readonly sender: Sender
  readonly monitor: Monitor
  closed = false
  /** Bound or connected: from now on most options only act on later endpoints. */
  attached = false
  /** Endpoints that are bound, with the addresses they were bound by. */
  readonly bound = new Map<string, string>()
  /** The proxy that the native socket was given to. */
  handedOver: Keeper | undefined
  /** Called once, when the socket is closed. */
  onClosed: (() => void) | undefined
  #holding = false

  constructor(
    /** The native handle, for those who know what is in the outbox; others use `handle`. */
    public socket: number,
    /** The Socket object. */
    readonly owner: object,
    readonly type: number,
  ) {
    this.receiver = new Receiver(this)
    this.sender = new Sender(this)
    this.monitor = new Monitor(this)
  }

  /** The native handle, once everything sent so far has gone there. */
  get handle(): number {
    outbox.flush()
    this.sender.forgetRoom()
    return this.socket
  }

  /** No operation waits. */
  get idle(): boolean {
    return this.receiver.waiting.empty && this.sender.waiting.empty
  }

  get readable(): boolean {
    if (this.socket === NO_HANDLE || this.closed) return false
    return !this.receiver.batch.empty || (native.readiness(this.handle) & READABLE) !== 0
  }

  get writable(): boolean {
    if (this.socket === NO_HANDLE || this.closed || !this.sender.waiting.empty) return false
    return (native.readiness(this.handle) & WRITABLE) !== 0
  }

  /** From the dispatcher: there may be news. */
  wake(): void {
    this.#act(this.#wanted())
    this.update()
  }

  /** Continues what was put off to this turn. */
  resume(): void {
    this.receiver.deliver()
    this.update()
  }

  /**
   * To be called when the set of waiting operations has changed: arms the wake-up for what they
   * need, acts on what is there already, and roots the socket as long as there is anything.
   */
  update(): void {
    let ignored = 0
    for (let wanted = this.#wanted(); wanted !== 0; wanted = this.#wanted()) {
      const ready = this.#arm(wanted & ~ignored)
      if (ready !== 0) {
        // Ready, but of no use (a Router whose one addressee is full): wait for other news.
        if (!this.#act(ready)) ignored |= ready
      } else if (ignored === 0 || !this.#act(ignored)) {
        break
      } else {
        ignored = 0
      }
    }
    this.#root()
  }

  /** An endpoint, or the address it was bound by, is no longer bound. */
  unbound(address: string): void {
    for (const [endpoint, as] of this.bound) {
      if (endpoint !== address && as !== address) continue
      this.bound.delete(endpoint)
      this.monitor.unbound(endpoint)
      return
    }
  }

  close(): void {
    if (this.closed) return
    if (this.handedOver) {
      this.handedOver.terminate()
      return
    }
    this.monitor.collect()
    this.monitor.closing(this.bound.keys())
    const { handle } = this
    this.#end()
    native.closeSocket(handle)
    linger()
  }

  /** Gives the native socket away: every later operation, and what waits, fails with EBADF. */
  handOver(keeper: Keeper): void {
    unwatch(this.socket, this)
    this.socket = NO_HANDLE
    this.handedOver = keeper
    this.#abandon('EBADF')
  }

  /** The native socket has been closed by the one it was given to. */
  markClosed(): void {
    if (!this.closed) this.#end()
  }

  #end(): void {
    this.closed = true
    this.#abandon('EAGAIN')
    this.onClosed?.()
    this.onClosed = undefined
  }

  #abandon(code: string): void {
    this.receiver.abandon(code)
    this.sender.abandon(code)
    this.monitor.end()
    this.#root()
  }

  /** Operations on a socket that cannot be used any more are ready: to find out why. */
  #arm(wanted: number): number {
    try {
      return native.arm(this.socket, wanted)
    } catch {
      return wanted
    }
  }

  #wanted(): number {
    if (this.closed) return 0
    return (
      (this.receiver.thirsty ? READABLE : 0) |
      (this.sender.waiting.empty ? 0 : WRITABLE) |
      (this.monitor.thirsty ? EVENT : 0)
    )
  }

  /** Whether any operation got further. */
  #act(readiness: number): boolean {
    let progress = false
    if (readiness & READABLE) progress = this.receiver.deliver()
    if (readiness & WRITABLE) progress = this.sender.drain() || progress
    if (readiness & EVENT) progress = this.monitor.collect() || progress
    return progress
  }

  #root(): void {
    const busy =
      !this.closed &&
      !(this.receiver.waiting.empty && this.sender.waiting.empty && !this.monitor.awaited)
    if (busy || (this.monitor.thirsty && !this.closed)) watch(this.socket, this)
    else unwatch(this.socket, this)
    if (busy === this.#holding) return
    this.#holding = busy
    if (busy) hold()
    else release()
  }
}
