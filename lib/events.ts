// Monitor events in the form the program sees.
import { getSystemErrorName } from 'node:util'
import { AuthError, ProtoError, ZmqError } from './errors.js'
import type { NativeEvent } from './native.js'

type Expand<T> = T extends infer O ? { [K in keyof O]: O[K] } : never

export type EventFor<T extends string, D = unknown> = Expand<{ type: T } & D>

export interface EventAddress {
  /** The endpoint that was bound or connected to. */
  address: string
  /** Host and port of the other side, as far as known; of multicast, the source. */
  peerAddress?: string
}

export interface EventInterval {
  /** Milliseconds until the next attempt. */
  interval: number
}

export interface EventGap {
  /** Sequence number of the first lost packet. */
  first: number
  /** That of the last one. */
  last: number
  /** How many packets were lost; one may hold many messages, or a part of one. */
  count: number
  /**
   * Why: the source does not keep them any more, did not answer for `recoveryInterval`, or began
   * anew; this program left too much unread; or they hold no messages, or some above a limit.
   */
  cause: 'window' | 'timeout' | 'slow-consumer' | 'restart' | 'protocol'
}

export interface EventError<E = ZmqError> {
  error: E
}

/** What happens to a socket's endpoints and connections (libzmq: zmq_socket_monitor). */
export type Event =
  | EventFor<'accept', EventAddress>
  | EventFor<'accept:error', EventAddress & EventError>
  | EventFor<'bind', EventAddress>
  | EventFor<'bind:error', EventAddress & EventError>
  | EventFor<'connect', EventAddress>
  | EventFor<'connect:delay', EventAddress>
  | EventFor<'connect:retry', EventAddress & EventInterval>
  | EventFor<'close', EventAddress>
  | EventFor<'close:error', EventAddress & EventError>
  | EventFor<'disconnect', EventAddress>
  | EventFor<'end'>
  | EventFor<'handshake', EventAddress>
  | EventFor<'handshake:error:protocol', EventAddress & EventError<ProtoError>>
  | EventFor<'handshake:error:auth', EventAddress & EventError<AuthError>>
  | EventFor<'handshake:error:other', EventAddress & EventError>
  | EventFor<'multicast:gap', EventAddress & EventGap>
  | EventFor<'multicast:join', EventAddress>
  | EventFor<'multicast:leave', EventAddress>
  | EventFor<'unknown'>

export type EventType = Event['type']

export type EventOfType<E extends EventType = EventType> = Extract<Event, { type: E }>

/** All bits of monitor.hpp. */
export const ALL_EVENTS = 0x700ffff

const NAMES: Record<number, EventType> = {
  1: 'connect',
  2: 'connect:delay',
  4: 'connect:retry',
  8: 'bind',
  16: 'bind:error',
  32: 'accept',
  64: 'accept:error',
  128: 'close',
  256: 'close:error',
  512: 'disconnect',
  1024: 'end',
  2048: 'handshake:error:other',
  4096: 'handshake',
  8192: 'handshake:error:protocol',
  16384: 'handshake:error:auth',
  16777216: 'multicast:gap',
  33554432: 'multicast:join',
  67108864: 'multicast:leave',
}

/** LossCause of monitor.hpp. */
const CAUSES = ['window', 'timeout', 'slow-consumer', 'restart', 'protocol'] as const

const PROTOCOL_ERRORS: Record<number, string> = {
  268435456: 'ERR_ZMTP_UNSPECIFIED',
  268435457: 'ERR_ZMTP_UNEXPECTED_COMMAND',
  268435458: 'ERR_ZMTP_INVALID_SEQUENCE',
  268435473: 'ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED',
  268435474: 'ERR_ZMTP_MALFORMED_COMMAND_MESSAGE',
  268435477: 'ERR_ZMTP_MALFORMED_COMMAND_ERROR',
  268435478: 'ERR_ZMTP_MALFORMED_COMMAND_READY',
  268435480: 'ERR_ZMTP_INVALID_METADATA',
  285212674: 'ERR_ZMTP_MECHANISM_MISMATCH',
}

export function toEvent(event: NativeEvent): Event {
  const { type: bit, value, address, peerAddress } = event
  const type = NAMES[bit] ?? 'unknown'
  if (type === 'end' || type === 'unknown') return { type }
  const at = peerAddress === '' ? { address } : { address, peerAddress }
  switch (type) {
    case 'connect:retry':
      return { type, ...at, interval: value }
    case 'accept:error':
    case 'bind:error':
    case 'close:error':
    case 'handshake:error:other':
      return { type, ...at, error: systemError(value, address) }
    case 'handshake:error:protocol':
      return { type, ...at, error: protocolError(value, address) }
    case 'handshake:error:auth':
      return { type, ...at, error: new AuthError(value) }
    case 'multicast:gap': {
      const { first, count } = event
      // Sequence numbers have 32 bits and wrap around.
      const last = (first + Math.max(count, 1) - 1) >>> 0
      return { type, ...at, first, last, count, cause: CAUSES[value] ?? 'window' }
    }
    default:
      return { type, ...at }
  }
}

function systemError(errno: number, address: string): ZmqError {
  const code = errno > 0 && errno < 4096 ? getSystemErrorName(-errno) : 'EUNKNOWN'
  return new ZmqError(code, `${code} at ${address}`, errno, address)
}

function protocolError(value: number, address: string): ProtoError {
  const code = PROTOCOL_ERRORS[value] ?? 'ERR_ZMTP_UNSPECIFIED'
  return new ProtoError(code, `The peer broke the protocol: ${code}`, value, address)
}
