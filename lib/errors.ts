import { constants } from 'node:os'

/** Error numbers that libzmq gives to conditions POSIX has no number for (`ZMQ_HAUSNUMERO`). */
const OWN_NUMBERS: Record<string, number> = {
  EFSM: 156384763,
  ENOCOMPATPROTO: 156384764,
  ETERM: 156384765,
}

const SYSTEM_NUMBERS = constants.errno as Record<string, number>

/** Sentences for the codes that the facade itself reports. */
const TEXTS: Record<string, string> = {
  EAGAIN: 'Operation was not possible or timed out',
  EBADF: 'Socket is closed',
  EBUSY: 'Socket is busy',
  EFAULT: 'Context is closed',
  EINVAL: 'Invalid argument',
  ENOTSUP: 'Operation is not supported',
}

/**
 * A failed operation. `code` is stable and what programs should look at:
 *
 * - `EAGAIN`: timed out, or pending when its socket was closed
 * - `EBADF`: the socket (observer, proxy) is closed
 * - `EBUSY`: not possible in the present state
 * - `EINVAL`: an argument, endpoint or option value that cannot be
 * - `ENOTSUP`: an option or operation that is not supported
 * - `EFSM`: Request or Reply used out of turn
 * - `EHOSTUNREACH`: a Router with `mandatory` does not know the peer
 * - `ENOENT`: unbind or disconnect of an endpoint that is not in use
 * - `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `ENODEV`, ...: bind failed
 * - `EPROTONOSUPPORT`, `ENOCOMPATPROTO`: unknown transport, or not for this socket
 * - `EMFILE`: more sockets than the context's `maxSockets`, or than the process may open
 * - `EFAULT`: the context is closed
 */
export class ZmqError extends Error {
  /** Name of the failure, for example `"EAGAIN"`. */
  readonly code: string
  /** Its number: the platform's errno, or libzmq's for EFSM, ENOCOMPATPROTO and ETERM. */
  readonly errno: number
  /** The endpoint at fault, where there is one. */
  declare readonly address?: string

  constructor(code: string, message = TEXTS[code] ?? code, errno?: number, address?: string) {
    super(message)
    this.code = code
    this.errno = errno ?? OWN_NUMBERS[code] ?? SYSTEM_NUMBERS[code] ?? 0
    if (address !== undefined) Object.assign(this, { address })
  }

  static {
    ZmqError.prototype.name = 'ZmqError'
  }
}

/** The peer broke the protocol: `code` is `ERR_ZMTP_...`. */
export class ProtoError extends ZmqError {}

/** The peer's credentials were refused: `status` is that of RFC 27 (300, 400 or 500). */
export class AuthError extends ZmqError {
  readonly status: number

  constructor(status: number) {
    super('EACCES', `Authentication failed with status ${status}`)
    this.status = status
  }
}

/** The shape that zeromq.js gives to its errors. */
export type ErrnoError = ZmqError

/** What the addon threw, as a ZmqError; argument errors stay TypeError and RangeError. */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ZmqError) return error
  const { code, errno, address } = error as Error & Partial<ZmqError>
  if (code === undefined || errno === undefined || error.constructor !== Error) return error
  return new ZmqError(code, error.message, errno, address)
}

/** Calls `operation`, which calls the addon, and throws what it throws as a ZmqError. */
export function guarded<T>(operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    throw fromNative(error)
  }
}

/** A TypeError for a value of the wrong type. */
export function wrongType(name: string, expected: string, value: unknown): TypeError {
  const error = new TypeError(`${name} must be ${expected}, received ${show(value)}`)
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' })
}

/** A RangeError for a number that is no integer or out of range. */
export function outOfRange(name: string, expected: string, value: unknown): RangeError {
  const error = new RangeError(`${name} must be ${expected}, received ${show(value)}`)
  return Object.assign(error, { code: 'ERR_OUT_OF_RANGE' })
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80))
  if (typeof value === 'object' && value !== null) {
    return `an instance of ${value.constructor?.name ?? 'Object'}`
  }
  return typeof value === 'function' ? `function ${value.name}` : String(value)
}
