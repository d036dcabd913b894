// What the program sends, in the form that the addon takes.
import { isAnyArrayBuffer } from 'node:util/types'
import { markAsUntransferable } from 'node:worker_threads'
import { native } from './binding.js'
import { wrongType, ZmqError } from './errors.js'
import { type NativePart, REFERENCE_FROM } from './native.js'

/** What can be sent as a part: a string as UTF-8, a number as its text, null as an empty part. */
export type MessageLike = ArrayBufferView | ArrayBuffer | SharedArrayBuffer | string | number | null

export type Outgoing = NativePart | readonly NativePart[]

/** Throws TypeError for what cannot be sent, EINVAL for a message without parts. */
export function toOutgoing(message: unknown): Outgoing {
  if (!Array.isArray(message)) return toPart(message)
  if (message.length === 0) throw new ZmqError('EINVAL', 'A message must have at least one part')
  return message.map(toPart)
}

/** The same for a send that waits: what the program may change once `send` has returned, copied. */
export function kept(outgoing: Outgoing): Outgoing {
  return Array.isArray(outgoing) ? outgoing.map(keptPart) : keptPart(outgoing as NativePart)
}

function keptPart(part: NativePart): NativePart {
  if (typeof part === 'string' || part === null) return part
  // What is empty may be detached, which is for the addon to say.
  if (part.byteLength === 0) return part
  const view = ArrayBuffer.isView(part)
  if (part.byteLength >= REFERENCE_FROM && native.stable(view ? part.buffer : part)) return part
  return Buffer.from(
    view ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength) : new Uint8Array(part),
  )
}

function toPart(value: unknown): NativePart {
  // Most are; views of all kinds are told apart more slowly.
  if (value instanceof Uint8Array && value.length < REFERENCE_FROM) return value
  if (typeof value === 'string' || value === null) return value
  if (typeof value === 'number') return String(value)
  if (ArrayBuffer.isView(value)) {
    return value.byteLength < REFERENCE_FROM ? value : byReference(value, value.buffer)
  }
  if (isAnyArrayBuffer(value)) {
    return value.byteLength < REFERENCE_FROM ? value : byReference(value, value)
  }
  throw wrongType('message', 'a string, Buffer, typed array, ArrayBuffer, number or null', value)
}

/**
 * Large parts are not copied, so their memory must not go to another thread. (Memory that could
 * shrink or move is copied by the addon.)
 */
function byReference<T extends NativePart>(part: T, memory: ArrayBufferLike): T {
  if (native.stable(memory)) markAsUntransferable(memory)
  return part
}
