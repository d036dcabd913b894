// Small messages on their way to the addon: copied side by side, so that one call takes many.
import { native } from './binding.js'
import type { Outgoing } from './outgoing.js'

/** Larger parts cost less when the addon copies them. */
const MOST_PART = 1024
const MOST_TEXT = 64
/** Enough to be worth a call, few enough that the peer has something to do meanwhile. */
const MOST_MESSAGES = 32
const MOST_BYTES = 16 * 1024
const MOST_PARTS = 256

// A record: the socket's handle, size * 2 + MORE.
const STRIDE = 2
const MORE = 1

/** Whose messages they are. */
export interface Owner {
  /** A message that was accepted finds no room after all, its peer being gone: it has to wait. */
  hold(message: Outgoing): void
}

/** Messages that lie side by side. */
class Packet {
  readonly #bytes: Buffer
  readonly #records = new Uint32Array(MOST_PARTS * STRIDE)
  #used = 0
  #parts = 0
  #changes = 0

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafeSlow(size)
  }

  get parts(): number {
    return this.#parts
  }

  get used(): number {
    return this.#used
  }

  /** False, and unchanged, when the message is too large or not of a simple kind. */
  add(socket: number, message: unknown): boolean {
    const changes = this.#changes
    let used = this.#used
    let parts = this.#parts
    const several = Array.isArray(message)
    const count = several ? message.length : 1
    if (count === 0 || parts + count > MOST_PARTS) return false
    for (let i = 0; i < count; i += 1) {
      const size = this.#copy(several ? message[i] : message, used)
      if (size < 0) return false
      this.#records[parts * STRIDE] = socket
      this.#records[parts * STRIDE + 1] = size * 2 + (i + 1 < count ? MORE : 0)
      used += size
      parts += 1
    }
    // An element was a getter of the program, which sent something itself.
    if (changes !== this.#changes) return false
    this.#changes += 1
    this.#used = used
    this.#parts = parts
    return true
  }

  /** Sends the messages between two records; returns the record reached. */
  send(from: number, to: number): number {
    return native.sendPacked(this.#bytes, this.#records, from, to)
  }

  /** How many messages end before a record. */
  count(to: number): number {
    let messages = 0
    for (let i = 0; i < to; i += 1) {
      if (((this.#records[i * STRIDE + 1] as number) & MORE) === 0) messages += 1
    }
    return messages
  }

  clear(): void {
    this.#changes += 1
    this.#used = 0
    this.#parts = 0
  }

  /** A copy of the message that begins with a record, and the record behind it. */
  message(first: number): { parts: Buffer[]; end: number } {
    const parts: Buffer[] = []
    let at = 0
    let end = 0
    for (let last = false; !last; end += 1) {
      const word = this.#records[end * STRIDE + 1] as number
      const size = word >>> 1
      if (end >= first) parts.push(Buffer.from(this.#bytes.subarray(at, at + size)))
      last = end >= first && (word & MORE) === 0
      at += size
    }
    return { parts, end }
  }

  /** The part's size; -1 if it does not fit or is not simple. */
  #copy(part: unknown, at: number): number {
    const room = this.#bytes.length - at
    if (part instanceof Uint8Array) {
      const size = part.length
      if (size > MOST_PART || size > room) return -1
      // Empty ones may be detached, which is for the addon to say.
      if (size === 0) return part.buffer.byteLength > 0 ? 0 : -1
      this.#bytes.set(part, at)
      return size
    }
    if (typeof part === 'string') return part.length > room ? -1 : this.#ascii(part, at)
    return part === null ? 0 : -1
  }

  /** Short texts are copied by the character; others the addon takes faster. */
  #ascii(text: string, at: number): number {
    const size = text.length
    if (size > MOST_TEXT) return -1
    for (let i = 0; i < size; i += 1) {
      const code = text.charCodeAt(i)
      if (code > 127) return -1
      this.#bytes[at + i] = code
    }
    return size
  }
}

/**
 * Messages of all sockets of this environment that were accepted and go to the addon together: 32
 * at a time, at the end of the turn of the event loop, and before anything else is done with one
 * of the sockets.
 */
class Outbox {
  readonly #packet = new Packet(2 * MOST_BYTES)
  #owners: Owner[] = []

  /** False when the message has to go by itself. The owner knows that there is room for it. */
  add(owner: Owner, socket: number, message: unknown): boolean {
    if (!this.#packet.add(socket, message)) return false
    this.#owners.push(owner)
    if (this.#owners.length >= MOST_MESSAGES || this.#packet.used >= MOST_BYTES) this.flush()
    return true
  }

  flush(): void {
    const owners = this.#owners
    if (owners.length === 0) return
    this.#owners = []
    const packet = this.#packet
    const reached = packet.send(0, packet.parts)
    const held = reached < packet.parts ? this.#hold(owners, reached) : []
    packet.clear()
    for (const { owner, message } of held) owner.hold(message)
  }

  /** Sends messages from an index on; the index of the first that waits or has to go by itself. */
  many(socket: number, messages: readonly Outgoing[], from: number): number {
    this.flush()
    const packet = this.#packet
    let sent = from
    for (;;) {
      let next = sent
      while (next < messages.length && packet.add(socket, messages[next])) next += 1
      if (next === sent) return sent
      const all = packet.parts
      const reached = packet.send(0, all)
      sent = reached === all ? next : sent + packet.count(reached)
      packet.clear()
      if (reached < all) return sent
    }
  }

  /** What did not go. Nothing of the same owner overtakes it. */
  #hold(owners: Owner[], reached: number): { owner: Owner; message: Buffer[] }[] {
    const packet = this.#packet
    const held: { owner: Owner; message: Buffer[] }[] = []
    const waiting = new Set<Owner>()
    let first = 0
    for (const owner of owners) {
      const { parts, end } = packet.message(first)
      if (first >= reached && (waiting.has(owner) || packet.send(first, end) < end)) {
        waiting.add(owner)
        held.push({ owner, message: parts })
      }
      first = end
    }
    return held
  }
}

export const outbox = new Outbox()
