// The contract between the TypeScript facade and the native addon (native/addon). Plain functions
// with integer handles: a free function with a small integer costs a third of an ObjectWrap method.

/** Bits of readiness, as in native/include/zerowire/socket.hpp, plus those of the environment. */
export const READABLE = 1
export const WRITABLE = 2
export const EVENT = 4

/** Socket types, as in native/include/zerowire/socket.hpp. */
export const PAIR = 0
export const PUB = 1
export const SUB = 2
export const REQ = 3
export const REP = 4
export const DEALER = 5
export const ROUTER = 6
export const PULL = 7
export const PUSH = 8
export const XPUB = 9
export const XSUB = 10

/**
 * Parts from this size on are sent and received by reference (held until released), smaller ones
 * copied, on receive into the slab if they fit in.
 */
export const REFERENCE_FROM = 32 * 1024

/** A frame that can be sent. `null` is an empty frame. */
export type NativePart = ArrayBufferView | ArrayBufferLike | string | null

export interface NativeEvent {
  /** EventType bit of monitor.hpp. */
  type: number
  value: number
  /** The endpoint, "" if none. */
  address: string
  /** Remote address, "" while unknown. */
  peerAddress: string
  /** Of a gap: sequence number of the first lost packet, and how many there were. */
  first: number
  count: number
}

/**
 * All failures are thrown as Error with `code` ("EINVAL"), `errno` (number) and, where an endpoint
 * or value is at fault, `address` / the value in the message. A handle that is not (or no longer)
 * valid throws EBADF. None of the functions blocks.
 */
export interface Native {
  /** "zerowire x.y.z" version without the name. */
  readonly version: string

  /**
   * Once per environment, before anything else. `onWake` is called on the JS thread when at least
   * one armed socket has news; it should call `ready()`. Threads wake the loop at most once between
   * two calls of `ready()`.
   */
  init(onWake: () => void): void
  /** Keeps the event loop alive while true (the wake-up handle is unreferenced otherwise). */
  ref(on: boolean): void
  /**
   * Fills `out` with pairs [socket handle, readiness bits] of armed sockets that have news since
   * they were armed, disarming them; returns the number of pairs. Call again when it fills `out`.
   */
  ready(out: Int32Array): number
  /**
   * Wants to hear of news of this socket through onWake. Returns 0 when armed, else the present
   * readiness bits among `wanted` (nothing armed: act on them now).
   */
  arm(socket: number, wanted: number): number

  /**
   * Closes everything and waits, a second at most, for what lingers. For the process's exit, which
   * does not run the cleanup hooks of the main thread. Nothing can be used afterwards.
   */
  finish(): void

  /** The process-wide default context (shared by all worker threads), created at first use. */
  defaultContext(): number
  /** A new context. Throws EINVAL naming the option for values out of range. */
  createContext(options: { ioThreads?: number; maxSockets?: number; spin?: number }): number
  contextOption(context: number, name: 'ioThreads' | 'maxSockets' | 'spin'): number
  /** Changes an option of a context that has no socket yet (EBUSY afterwards for ioThreads). */
  setContextOption(context: number, name: 'ioThreads' | 'maxSockets' | 'spin', value: number): void
  /** Drops this environment's reference; the handle is invalid afterwards. */
  releaseContext(context: number): void
  /**
   * Number of sockets closed in this environment that are still flushing for linger. When it
   * drops to 0, onWake is called (as long as the loop is kept alive by `ref(true)`).
   */
  lingering(): number

  /** `type` is a SocketType number (0..10); EINVAL for others, EMFILE beyond maxSockets. */
  createSocket(context: number, type: number): number
  /** Idempotent: closing an invalid handle does nothing. */
  closeSocket(socket: number): void
  setOptionNumber(socket: number, option: number, value: number): void
  setOptionString(socket: number, option: number, value: string | Uint8Array | null): void
  getOptionNumber(socket: number, option: number): number
  /** Bytes of a string option; null when unset or empty. */
  getOptionString(socket: number, option: number): Buffer | null

  /** Returns the endpoint as bound (wildcards resolved). */
  bind(socket: number, endpoint: string): string
  unbind(socket: number, endpoint: string): void
  connect(socket: number, endpoint: string): void
  disconnect(socket: number, endpoint: string): void
  subscribe(socket: number, prefix: string | Uint8Array): void
  unsubscribe(socket: number, prefix: string | Uint8Array): void

  /** Present readiness bits (does not arm). */
  readiness(socket: number): number

  /**
   * Sends one single-part message: true when accepted, false when it would block (EAGAIN). What is
   * accepted is collected until `flush()`, or until enough has gathered. The bytes are copied, or
   * referenced and kept alive natively from REFERENCE_FROM on.
   * Throws EFSM, EHOSTUNREACH, ENOTSUP, EINVAL, EBADF.
   */
  send(socket: number, part: NativePart): boolean
  /** The same for a multipart message (all parts or nothing). */
  sendParts(socket: number, parts: readonly NativePart[]): boolean
  /**
   * Sends messages of small parts. Each part has a record of two numbers: the socket's handle, and
   * size * 2 + 1 if more parts of the message follow; their bytes lie side by side in `bytes`, from
   * record 0 on. Begins with record `from`, and stops before `to` or the first message that would
   * block or fails; returns the record reached.
   */
  sendPacked(bytes: Uint8Array, records: Uint32Array, from: number, to: number): number
  /** Whether memory stays where it is as long as it is referenced, so that parts need no copy. */
  stable(memory: ArrayBufferLike): boolean
  /** How many messages in a row the socket is sure to accept; see Socket::room() in the core. */
  room(socket: number): number
  /** Sends off what this environment's sockets have collected. */
  flush(): void
  /**
   * At the end of a turn: `flush()`, and if messages have come and were sent in it, looks for up to
   * 50 µs whether there is an answer already (see LoopDriver in the core). If there is news fills
   * `out` and returns the number of pairs as `ready()` does, and is to be called again at the end of
   * the turn that follows; else -1.
   */
  drive(out: Int32Array): number

  /**
   * Receives up to `maxMessages` messages that are at hand, and returns how many. Their parts are
   * described in `descriptors`, three numbers each: [offset, size, flags]. flags bit 0: more parts
   * of this message follow; bit 1: by reference: the part is `large[offset]` (pushed there, which
   * has to be empty before, an own Buffer), otherwise it was copied to slab[offset .. offset + size).
   * Stops before a message whose small parts do not fit the rest of the slab; with `offset` 0 the
   * first message always fits (what exceeds the slab comes by reference). At most
   * descriptors.length / 3 parts; a message of more parts than the whole array comes alone, with
   * all its parts pushed to `large` and the single descriptor [number of parts, 0, 4].
   * Throws EFSM, ENOTSUP, EBADF. 0 = nothing at hand, -1 = the slab is too full for what is.
   */
  receive(
    socket: number,
    slab: Uint8Array,
    offset: number,
    descriptors: Uint32Array,
    maxMessages: number,
    large: unknown[],
  ): number

  /** EventType bits wanted; 0 stops. */
  monitor(socket: number, mask: number): void
  nextEvent(socket: number): NativeEvent | null

  /**
   * Runs a proxy on a native thread. The sockets' handles become invalid (they belong to the
   * proxy). onEnd is called on the JS thread once both sockets are closed; the running proxy keeps
   * the loop alive. Throws EINVAL when a socket is neither bound nor connected, EBADF if closed.
   */
  proxy(front: number, back: number, onEnd: () => void): number
  proxyControl(proxy: number, command: 'pause' | 'resume' | 'terminate'): void
}
