import { native } from './binding.js'

export type { Message } from './batch.js'
export { Context, type ContextOptions, context } from './context.js'
export { AuthError, type ErrnoError, ProtoError, ZmqError } from './errors.js'
export type {
  Event,
  EventAddress,
  EventError,
  EventFor,
  EventGap,
  EventInterval,
  EventOfType,
  EventType,
} from './events.js'
export { type EventSubscriber, Observer } from './observer.js'
export type { MessageLike } from './outgoing.js'
export type { OperationOptions } from './pending.js'
export { Proxy } from './proxy.js'
export type { Readable } from './readable.js'
export { Socket, type SocketOptions } from './socket.js'
export {
  Dealer,
  // Names of ØMQ 2.0.
  Dealer as XREQ,
  Pair,
  Publisher,
  Pull,
  Pull as UPSTREAM,
  Push,
  Push as DOWNSTREAM,
  Reply,
  Request,
  Router,
  Router as XREP,
  type RouterConnectOptions,
  Subscriber,
  XPublisher,
  XSubscriber,
} from './sockets.js'
export type { Subscribing } from './subscribing.js'
export type { Writable } from './writable.js'

/** Version of this library. */
export const version: string = native.version

/** What this build can do beside TCP and inproc. */
export const capability = Object.freeze({
  ipc: true,
  pgm: true,
  tipc: false,
  norm: false,
  curve: false,
  gssapi: false,
  draft: false,
})
