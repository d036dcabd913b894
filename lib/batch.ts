import type { Buffer } from 'node:buffer'
import { native } from './binding.js'
import { guarded } from './errors.js'
import { slab, view } from './slab.js'
import { received } from './turn.js'

/** A received part. */
export type Message = Buffer

/** Most messages that cross the border at once. */
export const MAX_BATCH = 256

/** Messages taken along by the first crossing; grows when it proves too few. */
const FIRST_BATCH = 16

/** A large part counts for so many messages more: its memory is freed between turns only. */
const LARGE_WEIGHT = 16

// A descriptor: offset, size, flags.
const STRIDE = 3
const MORE = 1
const BY_REFERENCE = 2
const WHOLE = 4

/**
 * The messages of one socket that have crossed from the addon and wait to be taken. They are made
 * (as views on the slab) when they are taken.
 */
export class Batch {
  /** Most messages to hold here: with a low HWM, fetching ahead would hide the pressure. */
  limit = MAX_BATCH
  /** Fetch no message ahead: the program's next step depends on the present one. */
  oneByOne = false
  #left = 0
  #cursor = 0
  #capacity = 0
  #descriptors = new Uint32Array(0)
  #large: (Buffer | undefined)[] = []
  #memory = slab.bytes.buffer

  get empty(): boolean {
    return this.#left === 0
  }

  /** Fetches messages that are at hand; false when there is none. Only when empty. */
  fill(socket: number): boolean {
    if (this.#capacity === 0) this.#grow(FIRST_BATCH)
    const count = this.#fetch(socket)
    if (count >= 0) return count > 0
    slab.renew()
    return this.#fetch(socket) > 0
  }

  /** The next message. Only when not empty. */
  take(): Message[] {
    received.spend()
    return this.#next()
  }

  /** As many messages as there are, up to `max`. Only when not empty. */
  takeMany(max: number): Message[][] {
    const count = Math.min(max, this.#left)
    received.spend(count)
    const messages = new Array<Message[]>(count)
    for (let i = 0; i < count; i += 1) messages[i] = this.#next()
    return messages
  }

  #next(): Message[] {
    this.#left -= 1
    const descriptors = this.#descriptors
    const at = this.#cursor
    const start = descriptors[at] as number
    if (descriptors[at + 2] !== 0) return this.#takeParts()
    this.#cursor = at + STRIDE
    return [view(this.#memory, start, descriptors[at + 1] as number)]
  }

  /** Forgets what has not been taken. */
  clear(): void {
    this.#left = 0
    this.#large = []
  }

  #takeParts(): Message[] {
    const descriptors = this.#descriptors
    const parts: Message[] = []
    let flags: number
    do {
      const start = descriptors[this.#cursor] as number
      const size = descriptors[this.#cursor + 1] as number
      flags = descriptors[this.#cursor + 2] as number
      this.#cursor += STRIDE
      if (flags & WHOLE) {
        const all = this.#large as Buffer[]
        this.#large = []
        return all
      }
      if (flags & BY_REFERENCE) {
        parts.push(this.#large[start] as Buffer)
        this.#large[start] = undefined // from now on it is the program's alone
        received.spend(LARGE_WEIGHT)
      } else {
        parts.push(view(this.#memory, start, size))
      }
    } while (flags & MORE)
    return parts
  }

  /** How many messages; -1 if the slab is too full for the next one. */
  #fetch(socket: number): number {
    if (this.#large.length > 0) this.#large = []
    // Streams of bytes detach it even so, before Node.js 24.
    if (slab.bytes.length === 0) slab.renew()
    const most = this.oneByOne ? 1 : Math.min(this.limit, this.#capacity)
    const count = guarded(() =>
      native.receive(socket, slab.bytes, slab.used, this.#descriptors, most, this.#large),
    )
    if (count <= 0) return count
    this.#left = count
    this.#cursor = 0
    this.#memory = slab.bytes.buffer
    this.#occupy(count)
    return count
  }

  /** Moves the slab's fill mark past the messages just received. */
  #occupy(count: number): void {
    const descriptors = this.#descriptors
    let at = 0
    for (let messages = 0; messages < count; at += STRIDE) {
      const flags = descriptors[at + 2] as number
      if (!(flags & (BY_REFERENCE | WHOLE))) {
        slab.used = (descriptors[at] as number) + (descriptors[at + 1] as number)
      }
      if (!(flags & MORE)) messages += 1
    }
    if (slab.used === slab.bytes.length) slab.renew()
    const parts = at / STRIDE
    if (parts * 2 > this.#capacity && this.#capacity < MAX_BATCH) this.#grow(this.#capacity * 4)
  }

  /** What is in use stays readable: the descriptors are copied. */
  #grow(capacity: number): void {
    const descriptors = new Uint32Array(capacity * STRIDE)
    descriptors.set(this.#descriptors)
    this.#descriptors = descriptors
    this.#capacity = capacity
  }
}
