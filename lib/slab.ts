// The memory that small messages are received into: one slab for all sockets of this environment.
import { markAsUntransferable } from 'node:worker_threads'

const SMALL = 16 * 1024
const LARGE = 64 * 1024

/** A slab that is used up sooner than this is followed by a large one. */
const SUSTAINED_MS = 2

/**
 * Messages are views on it and keep it alive; it is never reused. Filled from its start, and
 * replaced when it is full.
 */
class Slab {
  bytes = allocate(SMALL)
  used = 0
  #since = 0

  /** Continues with a fresh one. */
  renew(): void {
    const now = performance.now()
    this.bytes = allocate(now - this.#since < SUSTAINED_MS ? LARGE : SMALL)
    this.#since = now
    this.used = 0
  }
}

/** Transferring one message's memory to another thread would take that of all others along. */
function allocate(size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size)
  markAsUntransferable(bytes.buffer)
  return bytes
}

export const slab = new Slab()

/** The class of Node's Buffers, which `new` makes in half the time that `subarray` takes. */
const FastBuffer = (Buffer as unknown as Record<symbol, unknown>)[Symbol.species] as
  | (new (
      memory: ArrayBufferLike,
      start: number,
      size: number,
    ) => Buffer)
  | undefined
const fast = FastBuffer?.prototype === Buffer.prototype ? FastBuffer : undefined

/** A part of a slab as a Buffer. */
export function view(memory: ArrayBufferLike, start: number, size: number): Buffer {
  return fast ? new fast(memory, start, size) : Buffer.from(memory as ArrayBuffer, start, size)
}
